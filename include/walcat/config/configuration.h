#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/pipeline/options.h"
#include "walcat/writer/options.h"

namespace walcat {

/// The whole configuration: one file, the environment it names, and `--set` overrides.
struct Configuration {
  /// The file that it was read from; empty where there is none.
  std::string path;
  PipelineOptions pipeline;
  WriterOptions writer;
  log::Options log;
};

/// Whether a configuration must name databases.
enum class Databases { kRequired, kOptional };

/// Reads and checks a YAML configuration.
///
/// `overrides` are `path.to.key=value` pairs applied after the file (`databases.0.slot_name=s`); the values are YAML.
/// Errors: kConfiguration, with one `FILE:LINE:COLUMN: key: what was seen, what was expected` a line; several faults
///     of one file are reported together. Nothing is opened but the file.
Result<Configuration> load_configuration(const std::string& path, const std::vector<std::string>& overrides,
                                         Databases databases = Databases::kRequired);

/// The same from text; `name` stands for the file in errors.
Result<Configuration> parse_configuration(const std::string& text, const std::string& name,
                                          const std::vector<std::string>& overrides,
                                          Databases databases = Databases::kRequired);

/// A size as the configuration writes it: an integer of bytes, alone or with one of `B kB KB MB GB KiB MiB GiB`.
std::optional<std::uint64_t> parse_size(const std::string& text);
/// A capture is not rotated below this size, in bytes.
inline constexpr std::uint64_t kSmallestRotation = 1 << 20;

/// The effective configuration as YAML that load_configuration accepts, passwords masked.
std::string print_configuration(const Configuration& configuration);

}  // namespace walcat
