#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// A column of a table's key, as the key's index compares it. All but the name is SQL, with schemas, so that it means
/// the same under every search_path.
struct KeyColumn {
  std::string name;
  /// For people and for comparisons, with modifiers.
  std::string type;
  /// What the operators take: the type itself, or what its values are taken for (text for varchar and for domains).
  std::string compared_as;
  /// Whether the column is of another type than that.
  bool needs_cast = false;
  /// The index's; empty if the type has none.
  std::string collation;
  /// Such as `OPERATOR(pg_catalog.<)`.
  std::string less;
  std::string at_most;
  std::string equal;
  std::string greater;
};

/// The order of a table's rows by their key, in the operators and collations of the key's index: two keys are the same
/// if the index says so, and rows can be read by ranges of it.
///
/// Threads: any, once made.
/// Source: PostgreSQL manual, indexes-opclass, sql-syntax-lexical (OPERATOR), collation.
class KeyOrder {
 public:
  /// Texts as the server prints them, one a column.
  using Key = std::vector<std::string>;
  /// Makes an SQL literal of a text.
  using Quote = std::function<std::string(std::string_view)>;

  KeyOrder() = default;
  explicit KeyOrder(std::vector<KeyColumn> columns) : columns_(std::move(columns)) {}

  const std::vector<KeyColumn>& columns() const { return columns_; }
  std::vector<std::string> names() const;
  /// Texts that differ, one a column, where another key, type or order does: keys of the one mean nothing in the other.
  std::vector<std::string> description() const;

  /// `ORDER BY ..`, upwards and downwards.
  std::string ascending() const;
  std::string descending() const;
  /// Conditions for the rows behind `key`: those of the first come before those of the next, and each is one range of
  /// the index, however many rows share its first columns. One that cannot be said by a condition needs no index.
  std::vector<std::string> after(const Key& key, const Quote& quote) const;
  /// A condition for the rows up to `key`, that one included.
  std::string up_to(const Key& key, const Quote& quote) const;
  /// A condition for the rows that have one of `keys`, of which there is at least one.
  std::string any_of(const std::vector<Key>& keys, const Quote& quote) const;

 private:
  std::string order_by(std::string KeyColumn::* operator_name) const;
  std::string equal_before(std::size_t end, const Key& key, const Quote& quote) const;

  std::vector<KeyColumn> columns_;
};

/// The keys of tables in the stream, by their OIDs: of each the index of its replica identity, else its primary key,
/// else the oldest unique index over columns that are NOT NULL. A table that has none is left out. One question for
/// all.
///
/// Errors: of a single table, kRefused for a column that has no btree order, or whose values would be checked by
///     functions of others when they are read: a domain stands within its type.
Result<std::map<std::uint32_t, Result<KeyOrder>>> find_keys(Connection& connection,
                                                            const std::vector<std::uint32_t>& tables);

/// SQL for a text that changes whenever the columns of table `part` do, what find_keys() says of `table`, or how
/// `publication` publishes it: as a member, by a schema, by a table above it, with which columns and which row filter.
/// Looks at the catalog's rows for these tables alone. `part`, `table`: SQL for OIDs; `publication`: SQL for its name.
/// Servers from 14 on.
std::string shape_of(std::string_view part, std::string_view table, const std::string& publication, int server_version);

}  // namespace walcat
