#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/incremental_snapshot.h"

namespace walcat {

/// What is read of a message, and of a transaction, whoever wrote them.
inline constexpr std::size_t kSignalBytesMost = std::size_t{64} << 10;
inline constexpr std::size_t kSignalsInTransactionMost = 16;
inline constexpr std::size_t kTablesInSignalMost = 1'000;

/// What a logical message about incremental snapshots says to whoever follows the slot.
///
///     SELECT pg_logical_emit_message(true, 'walcat.snapshot', '{"slot":"slot1","ask":"start","id":"a1b2",
///       "channel":"news","tables":["public.orders"],"where":"","rows_per_second":0}');
///
/// `ask` is `start`, `pause`, `resume` or `cancel`; only `start` takes more than slot, id and channel. A session must
/// vouch for the question until it is answered (see Vouchers). The place of a chunk is marked by
/// `{"slot":"slot1","mark":"..."}`.
struct SnapshotSignal {
  enum class Kind { kStart, kPause, kResume, kCancel, kMark };
  Kind kind = Kind::kMark;
  /// Of kStart; of the other questions only its id and channel.
  IncrementalSnapshot snapshot;
  /// Of a question: SHA-256 of the message's content, in lower-case hexadecimal digits.
  std::string digest;
  /// Of kMark.
  std::string mark;

  /// Of the message's transaction; microseconds since 2000-01-01 UTC.
  Lsn commit_lsn;
  std::int64_t commit_time = 0;
};

/// Reads a message's content, of kSignalBytesMost at most; nothing if it is for another slot.
///
/// Errors: kRefused with what is wrong with it, fit to be shown.
Result<std::optional<SnapshotSignal>> parse_snapshot_signal(std::string_view content, const std::string& slot);

/// The content of a message that says `signal`.
std::string to_message(const SnapshotSignal& signal, const std::string& slot);

}  // namespace walcat
