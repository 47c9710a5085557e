#include "agreement.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <utility>

#include "scalars.h"
#include "walcat/base/claimed_files.h"
#include "walcat/offsets/offset_file.h"

namespace walcat::config {

namespace {

std::string entry(std::size_t i) { return fmt::format("databases[{}]", i); }

// Two strings with the same answer lead to the same server. Names of one host that differ are beyond us.
std::string server_of(const ConnectionTarget& target) {
  const std::string host = target.host.empty() ? "[local]" : target.host;
  if (target.service.empty()) return host + ":" + target.port;
  return fmt::format("{}:{} (service {})", target.host, target.port, target.service);
}

// A value that a later entry may not have again, and the first that had it.
using Taken = std::map<std::string, std::string>;

// Returns whether no slot is followed twice.
bool check_slots(const Draft& draft, const Node& databases, Faults& faults) {
  Taken taken;
  bool distinct = true;
  for (std::size_t i = 0; i < draft.databases.size(); ++i) {
    const DatabaseOptions& options = draft.databases[i].options;
    const auto& target = draft.databases[i].target;
    if (!target || options.slot_name.empty()) continue;
    const auto [first, fresh] = taken.emplace(server_of(*target) + " " + options.slot_name, entry(i));
    if (fresh) continue;
    distinct = false;
    faults.add(place_of(databases.elements[i], "slot_name"), entry(i) + ".slot_name",
               fmt::format("slot \"{}\" on {} is already followed by {}; a slot serves one entry", options.slot_name,
                           server_of(*target), first->second));
  }
  return distinct;
}

// Where the paths differ in more than their spelling, only the disk shows that they lead to one file.
std::string described(const ClaimedFiles::Claim& claim, const std::string& path) {
  const auto normal = [](const std::string& text) { return std::filesystem::path(text).lexically_normal(); };
  return claim.owner + (normal(claim.path) == normal(path) ? "" : fmt::format(" (as {})", shown(claim.path)));
}

// A file that each entry has one of, by a key of its own or derived from that key at the top.
struct EntryFile {
  std::string key;
  std::string what;
  std::string base;
  std::string DatabaseOptions::* path;
  std::optional<ClaimedFiles::Claim> (ClaimedFiles::*claim)(const std::string&, std::string_view);
  /// Whether it is written at all.
  bool is_used = true;
};

void set_paths(Draft& draft, const Node& root, const EntryFile& file, ClaimedFiles& files, Faults& faults) {
  for (std::size_t i = 0; i < draft.databases.size(); ++i) {
    DatabaseOptions& options = draft.databases[i].options;
    if (options.slot_name.empty()) continue;
    const Node& node = root.find("databases")->elements[i];
    std::string& path = options.*file.path;
    const bool own = !path.empty();
    if (!own) path = offset_path_for_slot(file.base, options.slot_name);
    if (!file.is_used) continue;
    const auto earlier = (files.*file.claim)(path, entry(i));
    if (!earlier) continue;
    faults.add(place_of(node, own ? file.key : "slot_name"), entry(i) + "." + (own ? file.key : "slot_name"),
               fmt::format("its {} {} is already the file of {}; set {}.{} to another", file.what, shown(path),
                           described(*earlier, path), entry(i), file.key));
  }
}

void set_paths(Draft& draft, const Node& root, Faults& faults) {
  ClaimedFiles files;
  files.claim(faults.name(), "the configuration itself");
  const auto claim = [&](const std::string& path, const std::string& key, const Node& section) {
    if (path.empty()) return;
    if (const auto earlier = files.claim(path, key)) {
      faults.add(place_of(section, "path"), key,
                 fmt::format("{} is already the file of {}", shown(path), described(*earlier, path)));
    }
  };
  const Node* output = root.find("output");
  if (output != nullptr) claim(draft.configuration.writer.path, "output.path", *output);
  const Node* capture = output == nullptr ? nullptr : output->find("capture");
  if (capture != nullptr) claim(draft.capture.path, "output.capture.path", *capture);
  set_paths(
      draft, root,
      {"offset_file", "offset file", draft.offset_file, &DatabaseOptions::offset_path, &ClaimedFiles::claim_replaced},
      files, faults);
  set_paths(draft, root,
            {"dead_letter_file", "file of dead letters", draft.dead_letter_file, &DatabaseOptions::dead_letter_path,
             &ClaimedFiles::claim, draft.on_poison == OnPoison::kDeadLetter},
            files, faults);
}

std::string label_of(const DatabaseDraft& database) {
  const ConnectionTarget& target = *database.target;
  return (target.database.empty() ? target.service : target.database) + "/" + database.options.slot_name;
}

void check_names(const Draft& draft, const Node& databases, Faults& faults) {
  Taken taken;
  for (std::size_t i = 0; i < draft.databases.size(); ++i) {
    const std::string& name = draft.databases[i].options.label;
    if (name.empty()) continue;
    const auto [first, fresh] = taken.emplace(name, entry(i));
    if (fresh) continue;
    faults.add(place_of(databases.elements[i], "name"), entry(i) + ".name",
               fmt::format("{} is already the name of {}", shown(name), first->second));
  }
}

void set_labels(Draft& draft) {
  const auto label = [](const DatabaseDraft& database) {
    return database.options.label.empty() ? label_of(database) : database.options.label;
  };
  std::map<std::string, int> uses;
  for (const DatabaseDraft& database : draft.databases) ++uses[label(database)];
  for (DatabaseDraft& database : draft.databases) {
    const bool shared = database.options.label.empty() && uses[label(database)] > 1;
    database.options.label = label(database) + (shared ? "@" + server_of(*database.target) : "");
  }
}

void check_backoffs(const Draft& draft, const Node& root, Faults& faults) {
  const BackoffOptions& retry = draft.configuration.pipeline.retry;
  if (retry.max_backoff >= retry.initial_backoff) return;
  const Node& node = *root.find("retry_config");
  const bool own = node.find("max_backoff") != nullptr;
  faults.add(place_of(node, own ? "max_backoff" : "initial_backoff"),
             own ? "retry_config.max_backoff" : "retry_config.initial_backoff",
             fmt::format("max_backoff is {} and initial_backoff is {}; expected max_backoff to be no shorter",
                         print_duration(retry.max_backoff), print_duration(retry.initial_backoff)));
}

void hand_over_databases(Draft& draft) {
  auto& databases = draft.configuration.pipeline.databases;
  std::vector<std::string> slots;
  slots.reserve(draft.databases.size());
  for (const DatabaseDraft& database : draft.databases) slots.push_back(database.options.slot_name);
  for (const DatabaseDraft& database : draft.databases) {
    databases.push_back(database.options);
    databases.back().inactive_slot_check = draft.inactive_slot_check;
    databases.back().on_gap = draft.on_gap;
    if (!database.has_on_keyless) databases.back().on_keyless = draft.on_keyless;
    databases.back().on_poison = draft.on_poison;
    databases.back().on_lost_rule = draft.on_lost_rule;
    databases.back().two_phase = draft.two_phase;
    databases.back().heartbeat_interval = draft.heartbeat_interval;
    databases.back().wal_guard = draft.wal_guard;
    databases.back().snapshot = draft.snapshot;
    databases.back().spool = draft.spool;
    databases.back().configured_slots = slots;
    databases.back().offset_base = draft.offset_file;
  }
}

}  // namespace

void complete(Draft& draft, const Node& root, Faults& faults) {
  check_backoffs(draft, root, faults);
  if (!draft.databases.empty()) {
    const Node& databases = *root.find("databases");
    check_names(draft, databases, faults);
    // One slot followed twice mostly means one file as well; one fault is enough.
    if (check_slots(draft, databases, faults)) set_paths(draft, root, faults);
  }
  if (!faults.empty()) return;
  if (!draft.capture.path.empty()) draft.configuration.pipeline.capture = draft.capture;
  set_labels(draft);
  hand_over_databases(draft);
}

}  // namespace walcat::config
