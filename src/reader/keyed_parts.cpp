#include "keyed_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "read_rights.h"
#include "walcat/postgres/key_order.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/snapshot.h"

namespace walcat {

namespace {

using Parts = std::vector<KeyedPart>;

Status refused(const TableName& table, const std::string& why) {
  return {StatusCode::kRefused, fmt::format("table {}: {}", table.to_string(), why)};
}

// What the catalog says of tables.
struct Found {
  std::map<TableName, PublishedRelation> relations;
  std::map<std::uint32_t, Result<KeyOrder>> keys;
  // By the parts' OIDs.
  std::unordered_map<std::uint32_t, std::string> shapes;
};

Status find_shapes(Connection& connection, const std::string& publication, Found& found) {
  std::string parts;
  for (const auto& [name, published] : found.relations) {
    for (const PhysicalTable& physical : published.tables) {
      parts += fmt::format("{}({}::pg_catalog.oid, {}::pg_catalog.oid)", parts.empty() ? "" : ", ", physical.oid,
                           published.relation.oid);
    }
  }
  if (parts.empty()) return Status::ok();
  auto rows = connection.query<std::uint32_t, std::optional<std::string>>(
      {"columns, keys and publication of tables",
       fmt::format("SELECT v.part, {} FROM (VALUES {}) AS v (part, whole)",
                   shape_of("v.part", "v.whole", connection.literal(publication), connection.server_version()),
                   parts)});
  if (!rows.is_ok()) return rows.status();
  for (auto& [part, shape] : *rows) found.shapes.emplace(part, std::move(shape).value_or(""));
  return Status::ok();
}

Result<Found> find(Connection& connection, const std::string& publication, std::span<const TableName> tables) {
  Found found;
  auto relations = published_relations(connection, publication, tables);
  if (!relations.is_ok()) return relations.status();
  std::vector<std::uint32_t> oids;
  for (PublishedRelation& published : *relations) {
    oids.push_back(published.relation.oid);
    found.relations.emplace(TableName{published.relation.schema, published.relation.name}, std::move(published));
  }
  auto keys = find_keys(connection, oids);
  if (!keys.is_ok()) return keys.status();
  found.keys = *std::move(keys);
  if (Status shaped = find_shapes(connection, publication, found); !shaped.is_ok()) return shaped;
  return found;
}

// The key of a table, all of whose columns are published.
Result<KeyOrder> usable_key(const TableName& table, const Relation& relation, const Found& found) {
  const auto key = found.keys.find(relation.oid);
  if (key == found.keys.end()) {
    return refused(table,
                   "it has no primary key, nor a unique index over NOT NULL columns; without a key rows can't be told "
                   "from what changes meanwhile");
  }
  if (!key->second.is_ok()) return key->second.status().with_context("table " + table.to_string());
  for (const std::string& column : key->second->names()) {
    const bool is_sent = std::any_of(relation.columns.begin(), relation.columns.end(),
                                     [&](const Column& sent) { return sent.name == column; });
    if (!is_sent) return refused(table, fmt::format("the publication leaves out the key's column {}", column));
  }
  return key->second;
}

Result<Parts> parts_of(const Connection& connection, const TableName& table, const PublishedRelation& published,
                       const Found& found) {
  auto key = usable_key(table, published.relation, found);
  if (!key.is_ok()) return key.status();
  auto source = std::make_shared<SnapshotSource>();
  source->relation = published.relation;
  // Behind the message that marks their place.
  source->first_index = 1;
  for (const PhysicalTable& physical : published.tables) source->parts.push_back(physical.oid);
  if (Status readable = check_readable(connection, {&published, 1}); !readable.is_ok()) return readable;
  Parts parts;
  for (const PhysicalTable& physical : published.tables) {
    const auto shape = found.shapes.find(physical.oid);
    const bool may_miss_values = physical.has_toast && published.relation.identity != ReplicaIdentity::kFull;
    parts.push_back({table, physical.name, physical.oid, source, *key, published.row_filter, physical.rows,
                     shape == found.shapes.end() ? "" : shape->second, may_miss_values});
  }
  return parts;
}

}  // namespace

Result<std::vector<Result<Parts>>> find_keyed_parts(Connection& connection, const DatabaseOptions& options,
                                                    const Selection& selection, std::span<const TableName> tables) {
  const auto usable = judge_tables(connection, tables);
  if (!usable.is_ok()) return usable.status();
  const auto found = find(connection, options.publication_name, tables);
  if (!found.is_ok()) return found.status();
  const auto find_one = [&](const TableName& table, const Status& is_usable) -> Result<Parts> {
    if (!is_usable.is_ok()) return is_usable;
    const auto published = found->relations.find(table);
    if (published == found->relations.end()) {
      return refused(table,
                     fmt::format("publication {} does not publish it under this name", options.publication_name));
    }
    Relation selected = published->second.relation;
    selection.apply(selected);
    if (!selected.is_wanted) {
      return refused(table, "the configuration leaves it out (tables, include_tables, exclude_tables)");
    }
    return parts_of(connection, table, published->second, *found);
  };
  std::vector<Result<Parts>> parts;
  for (std::size_t i = 0; i < tables.size(); ++i) parts.push_back(find_one(tables[i], (*usable)[i]));
  return parts;
}

}  // namespace walcat
