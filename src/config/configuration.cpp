#include "walcat/config/configuration.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <system_error>

#include "agreement.h"
#include "expansion.h"
#include "keys.h"
#include "overrides.h"
#include "scalars.h"
#include "walcat/base/printable.h"
#include "yaml.h"

namespace walcat {

namespace {

// A configuration is a page or two; a file beyond this was not meant.
constexpr std::size_t kFileBytesMax = std::size_t{16} << 20;

Status unreadable(const std::string& path, const std::string& why) {
  return {StatusCode::kConfiguration,
          fmt::format("{}: cannot be read: {}; name another file with -c FILE (config/example.yaml shows every key)",
                      printable(path, PATH_MAX), why)};
}

std::string last_error() { return std::generic_category().message(errno); }

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return unreadable(path, last_error());
  std::string text;
  std::array<char, 16384> chunk;
  while (std::feof(file.get()) == 0) {
    const std::size_t size = std::fread(chunk.data(), 1, chunk.size(), file.get());
    if (std::ferror(file.get()) != 0) return unreadable(path, last_error());
    text.append(chunk.data(), size);
    if (text.size() > kFileBytesMax) return unreadable(path, "larger than 16 MiB");
  }
  return text;
}

}  // namespace

Result<Configuration> load_configuration(const std::string& path, const std::vector<std::string>& overrides,
                                         Databases databases) {
  const auto text = read_file(path);
  if (!text.is_ok()) return text.status();
  auto configuration = parse_configuration(*text, path, overrides, databases);
  if (configuration.is_ok()) configuration->path = path;
  return configuration;
}

Result<Configuration> parse_configuration(const std::string& text, const std::string& name,
                                          const std::vector<std::string>& overrides, Databases databases) {
  config::Faults faults(name, overrides);
  auto root = config::parse_yaml(text, -1, faults);
  if (!root) return faults.status();
  config::apply_overrides(*root, overrides, faults);
  config::expand_environment(*root, faults);
  config::Draft draft;
  auto keys = config::top_level_keys();
  for (auto& key : keys) key.required = key.required && databases == Databases::kRequired;
  config::read_fields(keys, *root, "", draft, faults);
  config::complete(draft, *root, faults);
  if (!faults.empty()) return faults.status();
  return draft.configuration;
}

std::optional<std::uint64_t> parse_size(const std::string& text) { return config::parse_bytes(text); }

std::string print_configuration(const Configuration& configuration) {
  config::Draft draft;
  draft.configuration = configuration;
  if (configuration.pipeline.capture) draft.capture = *configuration.pipeline.capture;
  for (const DatabaseOptions& options : configuration.pipeline.databases) {
    draft.inactive_slot_check = options.inactive_slot_check;
    draft.on_gap = options.on_gap;
    draft.on_poison = options.on_poison;
    draft.on_lost_rule = options.on_lost_rule;
    draft.two_phase = options.two_phase;
    draft.heartbeat_interval = options.heartbeat_interval;
    draft.wal_guard = options.wal_guard;
    draft.snapshot = options.snapshot;
    draft.spool = options.spool;
    draft.databases.push_back({options, {}});
  }
  return config::print_fields(config::top_level_keys(), draft, "");
}

}  // namespace walcat
