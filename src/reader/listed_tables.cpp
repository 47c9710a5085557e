#include "walcat/reader/listed_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "walcat/postgres/publication.h"

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

// A partition that was detached or dropped since: the stream may still bring changes that it had before.
void follow_former(const std::vector<FollowedTable>& known, const std::vector<MemberTable>& members,
                   const Selection& selection, const log::Logger& logger) {
  if (!selection.has_list()) return;
  std::set<std::uint32_t> there;
  for (const MemberTable& member : members) there.insert(member.table.oid);
  for (const FollowedTable& table : known) {
    if (selection.follows(table.oid)) continue;
    if (!there.contains(table.oid)) {
      selection.follow(table.oid);
      continue;
    }
    if (table.membership.empty()) continue;
    logger.warning(
        "table {} stands for no listed table any more; its changes are printed still; hint: list it, or name "
        "it in exclude_tables",
        table.name.to_string());
    selection.follow(table.oid);
  }
}

// Files of versions before name those that hold rows alone.
std::vector<ListedTable> listed_before(const std::optional<Offset>& known) {
  if (!known) return {};
  std::vector<ListedTable> tables = known->listed;
  if (tables.empty() && known->published) {
    for (const FollowedTable& table : *known->published) tables.push_back({table.oid, table.name});
  }
  return tables;
}

// What the catalog has of names and of OIDs.
struct Standing {
  // What has the name now, in words; empty: a table that can be published.
  std::map<TableName, std::string> by_name;
  std::map<std::uint32_t, TableName> by_oid;
  std::map<TableName, std::uint32_t> oids;
  // The tables that have no partitions.
  std::set<TableName> ordinary;
};

Result<Standing> find_standing(Connection& connection, const std::vector<TableName>& names,
                               const std::vector<ListedTable>& before) {
  std::vector<std::string> listed;
  for (const TableName& table : names) {
    listed.push_back(fmt::format("({}, {})", connection.literal(table.schema), connection.literal(table.table)));
  }
  std::vector<std::uint32_t> oids = {0};
  for (const ListedTable& table : before) oids.push_back(table.oid);
  auto rows = connection.query<std::string, std::string, std::uint32_t, char, char>(
      {"tables of the configuration",
       fmt::format("SELECT n.nspname, c.relname, c.oid, c.relkind, c.relpersistence FROM pg_catalog.pg_class c JOIN "
                   "pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE (n.nspname::text, c.relname::text) IN "
                   "(VALUES {}) OR c.oid IN ({})",
                   fmt::join(listed, ", "), fmt::join(oids, ", "))});
  if (!rows.is_ok()) return rows.status();
  Standing standing;
  for (auto& [schema, table, oid, kind, persistence] : *rows) {
    const TableName name{std::move(schema), std::move(table)};
    const std::string hindrance = unpublishable_kind(kind, persistence);
    standing.by_name.emplace(name, hindrance);
    if (kind == 'r') standing.ordinary.insert(name);
    if (!hindrance.empty()) continue;
    standing.by_oid.emplace(oid, name);
    standing.oids.emplace(name, oid);
  }
  return standing;
}

}  // namespace

Result<std::shared_ptr<const Selection>> selection_of(const DatabaseOptions& options) {
  const bool is_named = options.dump && !options.dump->tables.empty();
  return Selection::compile(options.selection, is_named ? std::vector<TableName>{} : options.tables);
}

std::vector<std::uint32_t> oids_of(const std::optional<std::vector<FollowedTable>>& known) {
  std::vector<std::uint32_t> oids;
  if (!known) return oids;
  for (const FollowedTable& table : *known) oids.push_back(table.oid);
  return oids;
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

Result<std::vector<TableName>> tables_to_publish(Connection& connection, const DatabaseOptions& options,
                                                 const std::optional<Offset>& known, bool was_followed,
                                                 const log::Logger& logger) {
  if (options.tables.empty() || (!known && !was_followed)) return options.tables;
  const auto listed = listed_before(known);
  const auto standing = find_standing(connection, options.tables, listed);
  if (!standing.is_ok()) return standing.status();
  std::set<TableName> captured;
  if (known && known->captured) captured.insert(known->captured->tables.begin(), known->captured->tables.end());
  std::vector<TableName> tables;
  for (const TableName& table : options.tables) {
    const auto there = standing->by_name.find(table);
    const bool is_named = there != standing->by_name.end();
    const auto is_it = [&](const ListedTable& one) {
      return one.name == table && standing->by_oid.contains(one.oid) && standing->by_oid.at(one.oid) != table;
    };
    const auto renamed = std::find_if(listed.begin(), listed.end(), is_it);
    const bool is_new = !was_followed && renamed == listed.end() && !captured.contains(table);
    // What is wrong with one that is new is an error, and is told by name.
    if (is_new || (is_named && there->second.empty())) {
      tables.push_back(table);
      continue;
    }
    const bool is_gone = renamed == listed.end();
    // The look at the tables, which sees those that hold rows, tells of its new name.
    if (!is_gone && !is_named && standing->ordinary.contains(standing->by_oid.at(renamed->oid))) continue;
    const std::string fate =
        is_gone    ? "is gone; going on without it; hint: take it out of `tables`"
        : is_named ? fmt::format("goes on as {}", standing->by_oid.at(renamed->oid).to_string())
                   : fmt::format("is {} now; its changes are printed", standing->by_oid.at(renamed->oid).to_string());
    logger.warning("table {} {}{}", table.to_string(), is_named ? fmt::format("(now {}) ", there->second) : "", fate);
  }
  return tables;
}

Result<bool> may_have_partitions(Connection& connection, const std::vector<TableName>& tables) {
  const auto standing = find_standing(connection, tables, {});
  if (!standing.is_ok()) return standing.status();
  return std::any_of(tables.begin(), tables.end(),
                     [&](const TableName& table) { return !standing->ordinary.contains(table); });
}

Result<std::vector<ListedTable>> find_tables(Connection& connection, const DatabaseOptions& options,
                                             const std::vector<ListedTable>& before) {
  std::vector<ListedTable> tables;
  if (options.tables.empty()) return tables;
  const auto standing = find_standing(connection, options.tables, before);
  if (!standing.is_ok()) return standing.status();
  for (const ListedTable& table : before) {
    const bool is_listed = std::find(options.tables.begin(), options.tables.end(), table.name) != options.tables.end();
    if (is_listed && standing->by_oid.contains(table.oid)) tables.push_back(table);
  }
  for (const TableName& name : options.tables) {
    const auto oid = standing->oids.find(name);
    if (oid == standing->oids.end()) continue;
    ListedTable table{oid->second, name};
    if (std::find(tables.begin(), tables.end(), table) == tables.end()) tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<MemberTable>> publish_tables(Connection& connection, const DatabaseOptions& options,
                                                const Selection& selection, const std::optional<Offset>& known,
                                                bool was_followed, const log::Logger& logger) {
  const auto followed = known && known->published ? *known->published : std::vector<FollowedTable>{};
  for (const ListedTable& table : listed_before(known)) {
    if (selection.lists(table.name)) selection.follow(table.oid);
  }
  const auto tables = tables_to_publish(connection, options, known, was_followed, logger);
  if (!tables.is_ok()) return tables.status();
  // Without any of its tables left, the publication is what it is.
  if (!tables->empty() || options.tables.empty()) {
    // Before the slot, always: see there.
    const Status published =
        ensure_publication(connection, {options.publication_name, *tables, options.on_keyless}, logger);
    if (!published.is_ok()) return published;
  }
  auto members = published_members(connection, options.publication_name, oids_of(followed));
  if (!members.is_ok()) return members;
  follow_listed(*members, selection);
  if (known && known->captured && known->captured->tables == options.tables) {
    follow_former(followed, *members, selection, logger);
  }
  if (!was_followed) tell_unlisted(*members, options, selection, logger);
  return members;
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
