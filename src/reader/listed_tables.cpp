#include "walcat/reader/listed_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace walcat {

namespace {

constexpr std::size_t kNamedMost = 20;

bool stands_for_listed(const NamedTable& table, const Selection& selection) {
  return selection.lists(table.name) || selection.follows(table.oid);
}

// Whether a table above `member`, up to the one as which its changes come and beyond, is listed.
bool is_below_listed(const MemberTable& member, const Selection& selection) {
  return std::any_of(member.ancestors.begin(), member.ancestors.end(),
                     [&](const NamedTable& ancestor) { return stands_for_listed(ancestor, selection); });
}

}  // namespace

Result<std::shared_ptr<const Selection>> selection_of(const DatabaseOptions& options) {
  const bool is_named = options.dump && !options.dump->tables.empty();
  return Selection::compile(options.selection, is_named ? std::vector<TableName>{} : options.tables);
}

void follow_listed(const std::vector<MemberTable>& members, const Selection& selection) {
  if (!selection.has_list()) return;
  for (const MemberTable& member : members) {
    for (const NamedTable& ancestor : member.ancestors) {
      if (selection.lists(ancestor.name)) selection.follow(ancestor.oid);
    }
    if (!stands_for_listed(member.table, selection) && !is_below_listed(member, selection)) continue;
    selection.follow(member.table.oid);
    selection.follow(member.as.oid);
  }
}

Status find_listed(Connection& connection, const DatabaseOptions& options, const Selection& selection) {
  if (!selection.has_list()) return Status::ok();
  const auto members = published_members(connection, options.publication_name);
  if (members.is_ok()) follow_listed(*members, selection);
  return members.status();
}

void tell_unlisted(const std::vector<MemberTable>& members, const DatabaseOptions& options, const Selection& selection,
                   const log::Logger& logger) {
  if (!selection.has_list()) return;
  std::set<TableName> unlisted;
  for (const MemberTable& member : members) {
    if (member.membership.empty()) continue;
    if (!selection.follows(member.as.oid)) {
      unlisted.insert(member.as.name);
    } else if (selection.lists(member.table.name) && !selection.lists(member.as.name)) {
      logger.warning(
          "changes of {} come as those of {}, and so do those of its other partitions: all of them are printed "
          "(publication {} has publish_via_partition_root); hint: list {}",
          member.table.name.to_string(), member.as.name.to_string(), options.publication_name,
          member.as.name.to_string());
    }
  }
  if (unlisted.empty()) return;
  std::string names;
  std::size_t named = 0;
  for (const TableName& table : unlisted) {
    if (named++ == kNamedMost) break;
    names += (names.empty() ? "" : ", ") + table.to_string();
  }
  if (unlisted.size() > kNamedMost) names += fmt::format(" and {} more", unlisted.size() - kNamedMost);
  logger.info("publication {} also publishes what the configuration does not list, and what is not printed: {}",
              options.publication_name, names);
}

}  // namespace walcat
