#include "added_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "walcat/base/postgres_time.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/server.h"

namespace walcat {

namespace {

bool wants(const Selection& selection, const TableName& table) {
  Relation relation;
  relation.schema = table.schema;
  relation.name = table.table;
  selection.apply(relation);
  return relation.is_wanted;
}

bool has(const std::vector<TableName>& tables, const TableName& table) {
  return std::find(tables.begin(), tables.end(), table) != tables.end();
}

// Adds the leaves of partitioned tables: their changes may come under either name.
Status add_leaves(Connection& connection, std::vector<TableName>& tables) {
  const std::size_t configured = tables.size();
  for (std::size_t i = 0; i < configured; ++i) {
    const auto rows = connection.query(
        fmt::format("SELECT n.nspname, c.relname FROM pg_catalog.pg_partition_tree({}) t JOIN pg_catalog.pg_class c ON "
                    "c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE t.level > 0",
                    connection.literal(tables[i].quoted())));
    if (!rows.is_ok()) return rows.status();
    for (const Row& row : *rows) tables.push_back({row[0].value_or(""), row[1].value_or("")});
  }
  return Status::ok();
}

// The tables that the list has and the one before has not. An empty list publishes all tables.
Result<std::vector<TableName>> newly_published(Connection& connection, const CapturedTables& before,
                                               const CapturedTables& now) {
  std::vector<TableName> added;
  if (before.tables.empty()) return added;
  std::copy_if(now.tables.begin(), now.tables.end(), std::back_inserter(added),
               [&](const TableName& table) { return !has(before.tables, table); });
  if (const Status whole = add_leaves(connection, added); !whole.is_ok()) return whole;
  return added;
}

}  // namespace

Status note_added_tables(Connection& connection, const DatabaseOptions& options, const Selection& selection,
                         Offset& offset, const log::Logger& logger) {
  const CapturedTables now{options.tables, options.selection.include_tables, options.selection.exclude_tables};
  const auto before = std::exchange(offset.captured, now);
  const bool wants_rows = options.snapshot.mode == SnapshotOptions::Mode::kInitial ||
                          options.snapshot.mode == SnapshotOptions::Mode::kWhenNeeded;
  if (!before || before == now || !wants_rows) return Status::ok();
  if (connection.server_version() < kVersionWithMessages) {
    logger.warning(
        "the rows that added tables had before are not printed: that needs PostgreSQL 14; hint: walcat "
        "snapshot --dump prints them");
    return Status::ok();
  }
  const auto selection_before =
      Selection::compile({.include_tables = before->include_tables, .exclude_tables = before->exclude_tables});
  if (!selection_before.is_ok()) return selection_before.status();
  const auto published = published_columns(connection, options.publication_name);
  if (!published.is_ok()) return published.status();
  const auto newly = newly_published(connection, *before, now);
  if (!newly.is_ok()) return newly.status();
  IncrementalSnapshot added;
  for (const PublishedTable& table : *published) {
    const TableName name{table.schema, table.table};
    const bool was_captured = !has(*newly, name) && wants(**selection_before, name);
    if (wants(selection, name) && !was_captured) added.tables.push_back(name);
  }
  if (added.tables.empty()) return Status::ok();
  added.id = fmt::format("added-{}", postgres_now_micros());
  added.is_added = true;
  std::string names;
  for (const TableName& table : added.tables) names += (names.empty() ? "" : ", ") + table.to_string();
  logger.info("the configuration has come to include {}: reading the rows between the changes", names);
  offset.incremental.push_back(std::move(added));
  return Status::ok();
}

}  // namespace walcat
