#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/table_name.h"

namespace walcat {

/// The place of a change in the log's order of commits: its transaction's commit LSN, and its index in there. The same
/// change has the same place whenever it is sent again.
struct ChangePlace {
  Lsn commit_lsn;
  std::uint64_t index = 0;

  auto operator<=>(const ChangePlace&) const = default;
};

/// The name of a table, and those of its columns in their order.
struct TableLayout {
  TableName name;
  std::vector<std::string> columns = {};

  bool operator==(const TableLayout&) const = default;
};

/// What is remembered of a table so that a rename does not uncover what a rule hides by its name.
struct RememberedTable {
  std::uint32_t oid = 0;
  /// As the table was printed last, at `until` or before.
  TableLayout layout = {};
  /// Columns that a rule hides (mask_columns, hash_columns, truncate_columns, exclude_columns). Those that are not in
  /// the layout were there before, and may be in the table still: a publication's column list leaves columns out.
  std::set<std::string> hidden = {};
  /// Numbers of hidden columns (Column::number), as far as the catalog was asked for them, and the names that they had.
  std::map<std::int16_t, std::string> numbers = {};
  /// Hidden columns that the table has no more, and the position in the server's log from which on that is sure.
  std::map<std::string, Lsn> dropped = {};
  /// All layouts under which rows were printed up to `until`, the newest last. Of the oldest some may be forgotten.
  std::vector<TableLayout> printed = {};
  /// The place of the newest change that began a layout.
  ChangePlace until = {};
  /// Columns that no rule names and that are masked all the same, because a rule was lost.
  std::set<std::string> masked = {};
  /// Columns of the layout that a lost rule hid, and that are printed all the same, because the configuration said so.
  std::set<std::string> let_through = {};
  /// OIDs of the physical tables whose rows have come, or may have come, as the table's: its partitions.
  std::set<std::uint32_t> parts = {};
  /// Columns that were hidden, as `schema.table.column`, and tables that were, as `schema.table`; there no longer.
  std::set<std::string> former = {};
  /// Whether exclude_tables names the table; whether it is left out all the same, because that rule was lost; and
  /// whether it is printed all the same.
  bool is_excluded = false;
  bool is_kept_out = false;
  bool is_let_through = false;
  /// Known from the catalog alone: the stream may be behind it.
  bool is_from_catalog = false;

  bool operator==(const RememberedTable&) const = default;
};

}  // namespace walcat
