#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "walcat/model/table_name.h"

namespace walcat {

/// What is remembered of a table so that a rename does not uncover what a rule hides by its name.
struct RememberedTable {
  std::uint32_t oid = 0;
  /// As the table was described last; the columns in their order.
  TableName name;
  std::vector<std::string> columns = {};
  /// Columns that a rule hides (mask_columns, hash_columns, truncate_columns, exclude_columns).
  std::set<std::string> hidden = {};
  /// Columns that were printed as they are, by the names that the table had then.
  std::map<TableName, std::set<std::string>> shown = {};
  /// Columns that no rule names and that are masked all the same, because a rule was lost.
  std::set<std::string> masked = {};
  /// Columns that were hidden, as `schema.table.column`, and tables that were, as `schema.table`; there no longer.
  std::set<std::string> former = {};
  /// Whether exclude_tables names the table; and whether it is left out all the same, because that rule was lost.
  bool is_excluded = false;
  bool is_kept_out = false;
  /// Known from the catalog alone: the stream may be behind it.
  bool is_from_catalog = false;

  bool operator==(const RememberedTable&) const = default;
};

}  // namespace walcat
