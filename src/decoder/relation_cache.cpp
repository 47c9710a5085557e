#include "relation_cache.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "walcat/base/utf8.h"

namespace walcat {

namespace {

std::optional<std::size_t> position_of(const Relation& relation, const std::string& column) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const Column& candidate) { return candidate.name == column; });
  if (found == relation.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - relation.columns.begin());
}

// The columns of the replica identity, in the table's order; under FULL that is no key.
std::vector<std::size_t> identity_positions(const Relation& relation) {
  std::vector<std::size_t> positions;
  if (relation.identity == ReplicaIdentity::kFull) return positions;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].is_key) positions.push_back(i);
  }
  return positions;
}

// The catalog knows the key's order, but as of now; the stream knows the identity's columns, as of the change. Where
// they disagree the table was altered since, and the stream is right. A key of which a column is not published is none.
std::vector<std::size_t> key_positions(const Relation& relation, const std::vector<std::string>& key) {
  std::vector<std::size_t> positions;
  for (const std::string& column : key) {
    const auto position = position_of(relation, column);
    if (!position) return identity_positions(relation);
    positions.push_back(*position);
  }
  const std::vector<std::size_t> identity = identity_positions(relation);
  if (positions.empty()) return identity;
  const bool agree = std::is_permutation(positions.begin(), positions.end(), identity.begin(), identity.end());
  return !identity.empty() && !agree ? identity : positions;
}

void annotate(Relation& relation, const RelationNote& note) {
  for (const RelationNote::ColumnNote& column : note.columns) {
    if (const auto position = position_of(relation, column.name))
      relation.columns[*position].not_null = column.not_null;
  }
  for (Column& column : relation.columns) {
    if (const auto type = note.types.find(column.type_oid); type != note.types.end()) column.type = type->second;
  }
  relation.key = key_positions(relation, note.key);
}

// Names of columns that differ only in what is no UTF-8 stay apart by underscores.
void repair_names(Relation& relation) {
  relation.schema = with_replacements(relation.schema);
  relation.name = with_replacements(relation.name);
  std::vector<Column*> repaired;
  for (Column& column : relation.columns) {
    std::string name = with_replacements(column.name);
    if (name == column.name) continue;
    column.name = std::move(name);
    repaired.push_back(&column);
  }
  const auto is_twice = [&](const Column& one) {
    return std::count_if(relation.columns.begin(), relation.columns.end(),
                         [&](const Column& other) { return other.name == one.name; }) > 1;
  };
  for (auto column = repaired.rbegin(); column != repaired.rend(); ++column) {
    while (is_twice(**column)) (*column)->name += '_';
  }
}

}  // namespace

void complete_description(Relation& relation, const RelationNote* note) {
  // The catalog's names are as raw as the stream's.
  if (note != nullptr) annotate(relation, *note);
  repair_names(relation);
}

Result<std::shared_ptr<const Relation>> ruled_relation(Relation described, const RelationRules& rules,
                                                       const RowsAhead& rows) {
  if (rules.rules != nullptr) {
    if (Status applied = rules.rules->apply(described, rows); !applied.is_ok()) return applied;
  } else if (rules.selection != nullptr) {
    rules.selection->apply(described);
  }
  return std::make_shared<const Relation>(std::move(described));
}

std::size_t RelationCache::Type::bytes() const { return sizeof *this + schema.size() + name.size(); }

std::size_t RelationCache::Entry::bytes() const {
  std::size_t bytes = sizeof *this + described.schema.size() + described.name.size();
  for (const Column& column : described.columns) bytes += sizeof column + column.name.size();
  // As described, and as printed.
  return 2 * bytes;
}

void RelationCache::clear() {
  relations_.clear();
  types_.clear();
  recent_ = {};
  relation_bytes_ = type_bytes_ = 0;
}

void RelationCache::put_type(std::uint32_t oid, std::string_view schema, std::string_view name,
                             std::string_view frame) {
  const auto [place, is_new] = types_.try_emplace(oid);
  Type& type = place->second;
  if (!is_new) type_bytes_ -= type.bytes();
  type = {with_replacements(schema), with_replacements(name), std::string(keeps_frames_ ? frame : std::string_view())};
  type_bytes_ += type.bytes();
}

void RelationCache::put(Relation relation, const RelationNote* note, std::string_view frame) {
  for (Column& column : relation.columns) {
    if (const auto type = types_.find(column.type_oid); type != types_.end()) {
      column.type_schema = type->second.schema;
      column.type_name = type->second.name;
    }
  }
  complete_description(relation, note);
  const auto [place, is_new] = relations_.try_emplace(relation.oid);
  Entry& entry = place->second;
  if (!is_new) relation_bytes_ -= entry.bytes();
  entry.described = std::move(relation);
  relation_bytes_ += entry.bytes();
  entry.awaits_rules = true;
  entry.pinned_in = kNever;
  if (keeps_frames_) entry.frame.assign(frame);
}

bool RelationCache::awaits_rules(std::uint32_t oid) const {
  const auto found = relations_.find(oid);
  return found != relations_.end() && found->second.awaits_rules;
}

Result<const Relation*> RelationCache::apply(std::uint32_t oid, const RelationRules& rules, const RowsAhead& rows) {
  Entry& entry = relations_.at(oid);
  auto ruled = ruled_relation(entry.described, rules, rows);
  if (!ruled.is_ok()) return ruled.status();
  entry.awaits_rules = false;
  // ANALYZE, VACUUM and CREATE INDEX repeat the description; keeping the object keeps what is rendered from it.
  if (entry.relation != nullptr && *entry.relation == **ruled) return nullptr;
  entry.relation = std::move(*ruled);
  return entry.relation.get();
}

void RelationCache::forget(std::uint32_t oid) {
  if (const auto found = relations_.find(oid); found != relations_.end()) {
    relation_bytes_ -= found->second.bytes();
    relations_.erase(found);
  }
  recent_ = {};
}

const Relation* RelationCache::find_and_pin(std::uint32_t oid, Batch& batch) {
  const auto found = relations_.find(oid);
  if (found == relations_.end() || found->second.awaits_rules) return nullptr;
  Entry& entry = found->second;
  recent_[oid % kRecent] = {oid, &entry};
  if (entry.pinned_in != batch.sequence) {
    batch.relations.push_back(entry.relation);
    entry.pinned_in = batch.sequence;
  }
  return entry.relation.get();
}

}  // namespace walcat
