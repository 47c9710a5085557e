#include "rule_check.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/utf8.h"
#include "walcat/postgres/catalog.h"
#include "walcat/postgres/publication.h"

namespace walcat {

namespace {

Relation relation_of(const PublishedTable& table) {
  Relation relation;
  relation.oid = table.oid;
  // As the decoder has them.
  relation.schema = with_replacements(table.schema);
  relation.name = with_replacements(table.table);
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    Column column;
    column.name = with_replacements(table.columns[i]);
    column.number = table.numbers[i];
    relation.columns.push_back(std::move(column));
  }
  return relation;
}

// The positions of `names`; those that are not published are passed over.
std::vector<std::size_t> positions_of(const std::vector<std::string>& names, const Relation& relation) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (std::find(names.begin(), names.end(), relation.columns[i].name) != names.end()) positions.push_back(i);
  }
  return positions;
}

// Only where records bear keys does it matter what the keys are made of.
Status add_keys(Connection& connection, std::vector<Relation>& relations) {
  std::vector<std::uint32_t> oids;
  for (const Relation& relation : relations) oids.push_back(relation.oid);
  const auto keys = keys_of(connection, oids);
  if (!keys.is_ok()) return keys.status();
  for (Relation& relation : relations) {
    if (const auto key = keys->find(relation.oid); key != keys->end())
      relation.key = positions_of(key->second, relation);
  }
  return Status::ok();
}

// OIDs of another server mean nothing here, where the names still do: they are replaced by some that no table has.
std::vector<RememberedTable> remembered_by(const Offset& offset, const ServerIdentity& server) {
  auto tables = offset.remembered;
  if (offset.system_identifier == server.system_identifier && offset.database == server.database) return tables;
  std::uint32_t oid = std::numeric_limits<std::uint32_t>::max();
  for (RememberedTable& table : tables) {
    table.oid = oid--;
    table.parts.clear();
    table.numbers.clear();
    table.dropped.clear();
    table.until = {};
  }
  return tables;
}

}  // namespace

void learn_parts(const std::vector<MemberTable>& members, RuleMemory& rules) {
  for (const MemberTable& member : members) {
    for (const NamedTable& ancestor : member.ancestors) rules.learn_parts(ancestor.oid, {member.table.oid});
  }
}

Status check_rules(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
                   const std::vector<MemberTable>& members, RuleMemory& rules, const OffsetFile& offset_file) {
  const auto known = offset_file.load();
  if (known.status().code() == StatusCode::kUnavailable) return known.status();
  if (known.is_ok() && *known) rules.recall(remembered_by(**known, server));
  learn_parts(members, rules);
  if (options.selection == SelectionOptions{} && rules.tables().empty()) return Status::ok();
  const auto published = published_columns(connection, options.publication_name);
  if (!published.is_ok()) return published.status();
  std::vector<Relation> relations;
  relations.reserve(published->size());
  for (const PublishedTable& table : *published) relations.push_back(relation_of(table));
  if (options.prints_keys) {
    if (Status added = add_keys(connection, relations); !added.is_ok()) return added;
  }
  // Before patterns are: that a column is gone says more than that a pattern matches nothing.
  if (Status kept = rules.compare(relations, server.flush_position); !kept.is_ok()) return kept;
  const Status matched = rules.selection().check(*published, rules.former_names());
  return matched.is_ok() ? matched : Status(StatusCode::kRefused, matched.message());
}

Status keep_rules(const RuleMemory& rules, const OffsetFile& offset_file, Offset& offset) {
  auto tables = rules.tables();
  if (offset.remembered == tables) return Status::ok();
  offset.remembered = std::move(tables);
  return offset_file.store(offset);
}

}  // namespace walcat
