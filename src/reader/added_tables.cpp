#include "added_tables.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "walcat/base/postgres_time.h"
#include "walcat/postgres/server.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

Status note_added_tables(const std::vector<MemberTable>& members, int server_version, const DatabaseOptions& options,
                         const Selection& selection, Offset& offset, const log::Logger& logger) {
  const CapturedTables now{options.tables, options.selection.include_tables, options.selection.exclude_tables};
  const auto before = std::exchange(offset.captured, now);
  const bool wants_rows = options.snapshot.mode == SnapshotOptions::Mode::kInitial ||
                          options.snapshot.mode == SnapshotOptions::Mode::kWhenNeeded;
  if (!before || before == now || !wants_rows) return Status::ok();
  if (server_version < kVersionWithMessages) {
    logger.warning(
        "the rows that added tables had before are not printed: that needs PostgreSQL 14; hint: walcat "
        "snapshot --dump prints them");
    return Status::ok();
  }
  const auto selection_before = Selection::compile(
      {.include_tables = before->include_tables, .exclude_tables = before->exclude_tables}, before->tables);
  if (!selection_before.is_ok()) return selection_before.status();
  follow_listed(members, **selection_before);
  std::set<TableName> names;
  for (const MemberTable& member : members) {
    if (member.membership.empty()) continue;
    const auto& [oid, name] = member.as;
    if (selection.wants(oid, name) && !(*selection_before)->wants(oid, name)) names.insert(name);
  }
  IncrementalSnapshot added;
  added.tables.assign(names.begin(), names.end());
  if (added.tables.empty()) return Status::ok();
  added.id = fmt::format("added-{}", postgres_now_micros());
  added.is_added = true;
  std::string text;
  for (const TableName& table : added.tables) text += (text.empty() ? "" : ", ") + table.to_string();
  logger.info("the configuration has come to include {}: reading the rows between the changes", text);
  offset.incremental.push_back(std::move(added));
  return Status::ok();
}

}  // namespace walcat
