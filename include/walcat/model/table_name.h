#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace walcat {

/// A table's schema and name, as the catalog stores them (case kept, quotes gone).
struct TableName {
  std::string schema;
  std::string table;

  auto operator<=>(const TableName&) const = default;

  /// `"schema"."table"`, safe to put into SQL whatever the names are.
  std::string quoted() const;

  /// `schema.table` for people: quotes only around parts that are not plain lower case.
  std::string to_string() const;

  /// Reads `schema.table` by SQL's rules: unquoted parts fold to lower case, double-quoted parts are kept as they
  /// stand and may hold dots, capitals and doubled quotes. Anything else gives nothing.
  static std::optional<TableName> parse(std::string_view text);
};

/// `name` as an SQL identifier: always double-quoted (a plain name may be a keyword), inner quotes doubled.
std::string quote_identifier(std::string_view name);

}  // namespace walcat
