#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace walcat {

/// What a snapshot sees as committed: transaction IDs with their epoch, as pg_current_snapshot() writes them.
///
/// Source: PostgreSQL manual, functions-info (pg_snapshot).
struct VisibleTransactions {
  /// Everything below has ended.
  std::uint64_t xmin = 0;
  /// Nothing at or above has ended. Not below xmin.
  std::uint64_t xmax = 0;
  /// In between, those that have not ended.
  std::vector<std::uint64_t> in_progress;

  /// Reads `xmin:xmax:xip,xip`; nothing if it is anything else.
  static std::optional<VisibleTransactions> parse(std::string_view text);
  std::string to_string() const;

  /// Whether the transaction has ended for this snapshot, by its ID without the epoch (as the stream has it): of the
  /// two billion IDs before and behind `xmax`.
  bool sees(std::uint32_t xid) const;
};

}  // namespace walcat
