#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walcat/model/column_rule.h"
#include "walcat/model/type.h"

namespace walcat {

/// Which old columns updates and deletes carry. Values are pg_class.relreplident's.
enum class ReplicaIdentity : char { kDefault = 'd', kNothing = 'n', kFull = 'f', kIndex = 'i' };

/// A column as the stream describes it.
struct Column {
  std::string name;
  std::uint32_t type_oid = 0;
  std::int32_t type_modifier = -1;
  /// Part of the replica identity.
  bool is_key = false;
  /// Schema and name of a type that is not built in; for a domain those of its base type. The schema of a built-in
  /// base type is empty, as on the wire. Both are empty for built-in types themselves.
  std::string type_schema;
  std::string type_name;
  /// The type as the catalog describes it; null if it is built in or was not looked up.
  std::shared_ptr<const Type> type;
  /// Declared NOT NULL, as far as the catalog was asked.
  bool not_null = false;
  /// pg_attribute.attnum, where the catalog was asked for it: a column keeps it whatever it is called, and no other
  /// column of the table ever gets it. 0: unknown.
  std::int16_t number = 0;
  ColumnRule rule;

  bool operator==(const Column&) const = default;
};

/// A table as the stream described it at one point.
///
/// Immutable once shared: a schema change makes a new Relation, and changes decoded before it keep the old one.
struct Relation {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  ReplicaIdentity identity = ReplicaIdentity::kDefault;
  std::vector<Column> columns;
  /// Positions in `columns` of what makes a record's key, in the key's order; empty if the table has no key or it was
  /// not looked up.
  std::vector<std::size_t> key;
  /// Whether its changes are printed.
  bool is_wanted = true;

  bool operator==(const Relation&) const = default;
};

}  // namespace walcat
