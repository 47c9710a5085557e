#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/model/table_name.h"

namespace walcat {

/// Prefix of the logical messages by which such snapshots are asked for, and their chunks' places marked.
inline constexpr std::string_view kSnapshotPrefix = "walcat.snapshot";

/// Tables that are read while the stream goes on, and how far that has come; stored with the offset.
struct IncrementalSnapshot {
  /// Tells it from others, in logs and to whoever asked for it.
  std::string id;
  /// The channel (NOTIFY) on which whoever asked hears of it; empty: nobody does. Only who knows it hears, or speaks.
  std::string channel;
  /// Published tables that are not read to their end; the first is in hand.
  std::vector<TableName> tables;
  /// The physical tables (of partitioned ones, leaves) whose rows are read, by OID; empty: all of `tables`.
  std::vector<std::uint32_t> parts = {};
  /// SQL over the tables' columns; empty: all rows.
  std::string where;
  /// 0: as fast as it goes.
  std::uint64_t rows_per_second = 0;
  bool is_paused = false;
  /// Whether the tables came into the configuration, and nobody waits for an answer.
  bool is_added = false;
  /// The table whose rows are in hand (of a partitioned one, a leaf), and the key of the last row that was read of it;
  /// without a key it is to be read from its beginning.
  TableName part;
  std::vector<std::string> last_key;
  /// The key's columns with their types, and the part's OID, for a key that has changed meanwhile, and for another
  /// table under the part's name.
  std::vector<std::string> key;
  /// When the last row was read, every transaction below this ID had ended, with its epoch.
  std::uint64_t seen_xid = 0;

  /// Leaves tables out of those that are to be read. How far the first one has come is forgotten with it.
  void leave_out(const std::set<TableName>& left_out) {
    if (tables.empty()) return;
    const TableName first = tables.front();
    std::erase_if(tables, [&](const TableName& table) { return left_out.contains(table); });
    if (!tables.empty() && tables.front() == first) return;
    part = TableName{};
    key.clear();
    last_key.clear();
  }

  bool operator==(const IncrementalSnapshot&) const = default;
};

/// What a database's configuration said of its tables, to see which ones it adds later.
struct CapturedTables {
  std::vector<TableName> tables;
  std::vector<std::string> include_tables;
  std::vector<std::string> exclude_tables;

  bool operator==(const CapturedTables&) const = default;
};

}  // namespace walcat
