#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace walcat {

/// What a type is made of. Values are pg_type.typtype's.
enum class TypeKind : char {
  kBase = 'b',
  kComposite = 'c',
  kDomain = 'd',
  kEnum = 'e',
  kMultirange = 'm',
  kPseudo = 'p',
  kRange = 'r',
};

/// A type that is not built in, as the catalog describes it. Built-in types are known by their OID alone.
///
/// Immutable once shared.
struct Type {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  TypeKind kind = TypeKind::kBase;
  /// A domain's base type: its OID, type modifier, and description unless it is built in.
  std::uint32_t base_oid = 0;
  std::int32_t base_modifier = -1;
  std::shared_ptr<const Type> base;
  /// A true array's element type (0: not an array), and its description unless it is built in, or this is a domain,
  /// whose base has it.
  std::uint32_t element_oid = 0;
  std::shared_ptr<const Type> element;
  /// Between an array's elements in its text form.
  char delimiter = ',';
  /// An enum's labels, in order.
  std::vector<std::string> labels;
};

/// What the catalog says of a relation and the stream does not.
struct RelationNote {
  struct ColumnNote {
    std::string name;
    bool not_null = false;
  };
  std::uint32_t relation_oid = 0;
  std::vector<ColumnNote> columns;
  /// By OID, the columns' types that are not built in.
  std::map<std::uint32_t, std::shared_ptr<const Type>> types;
  /// Names of the columns of the replica identity's index, in its order; if there is none of the primary key, else of
  /// the oldest unique index that tells all rows apart at all times; empty if there is none of them.
  std::vector<std::string> key;
};

/// First OID that is not fixed by PostgreSQL's own sources (FirstNormalObjectId).
inline constexpr std::uint32_t kFirstUserOid = 16384;

}  // namespace walcat
