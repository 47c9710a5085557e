#pragma once

#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/pipeline/options.h"
#include "walcat/writer/options.h"

namespace walcat {

/// The whole configuration: one file, the environment it names, and `--set` overrides.
struct Configuration {
  PipelineOptions pipeline;
  WriterOptions writer;
  log::Options log;
};

/// Reads and checks a YAML configuration.
///
/// `overrides` are `path.to.key=value` pairs applied after the file (`databases.0.slot_name=s`); the values are YAML.
/// Errors: kConfiguration, with one `FILE:LINE:COLUMN: key: what was seen, what was expected` a line; several faults
///     of one file are reported together. Nothing is opened but the file.
Result<Configuration> load_configuration(const std::string& path, const std::vector<std::string>& overrides);

/// The same from text; `name` stands for the file in errors.
Result<Configuration> parse_configuration(const std::string& text, const std::string& name,
                                          const std::vector<std::string>& overrides);

/// The effective configuration as YAML that load_configuration accepts, passwords masked.
std::string print_configuration(const Configuration& configuration);

}  // namespace walcat
