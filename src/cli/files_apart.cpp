#include "files_apart.h"

#include <fmt/format.h>

#include <string>

namespace walcat {

void claim_files(const Configuration& configuration, ClaimedFiles& files) {
  files.claim(configuration.path, "the configuration itself");
  for (const DatabaseOptions& database : configuration.pipeline.databases) {
    files.claim_replaced(database.offset_path, database.label);
    if (database.dump) files.claim_replaced(database.dump->offset_path, database.label);
    files.claim(database.dead_letter_path, database.label);
  }
}

Status check_standard_files(const Configuration& configuration, const ClaimedFiles& files) {
  const auto check = [&](const std::string& path, const char* name) -> Status {
    const auto holder = files.holder(path);
    if (!holder) return Status::ok();
    return {StatusCode::kConfiguration,
            fmt::format("{} goes to {}, which is already the file of {}", name, holder->path, holder->owner)};
  };
  if (configuration.writer.path.empty()) {
    if (Status apart = check("/dev/stdout", "stdout"); !apart.is_ok()) return apart;
  }
  return check("/dev/stderr", "stderr");
}

}  // namespace walcat
