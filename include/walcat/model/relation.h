#pragma once

#include <cstdint>
#include <string>
#include <vector>

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

  bool operator==(const Relation&) const = default;
};

}  // namespace walcat
