#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "walcat/base/status.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

/// What became of an incremental snapshot.
struct SnapshotNews {
  std::string id;
  /// `accepted`, `progress`, `paused`, `resumed`, `complete`, `cancelled`, `refused`, or `idle`: there is none.
  std::string state;
  /// For people.
  std::string text;
};

/// `news` as a notification's payload, and back; nothing if it is not of this slot.
std::string to_payload(const SnapshotNews& news, const std::string& slot);
std::optional<SnapshotNews> parse_news(std::string_view payload, const std::string& slot);

/// Whether somebody reads the slot, so that asking makes sense.
Result<bool> is_followed(const DatabaseOptions& options, const StopRequest& stop);

/// How an answer is waited for.
struct AnswerWait {
  /// Of a start: until the snapshot is complete, and not only accepted.
  bool for_end = true;
  /// The most that is waited; nothing: as long as it takes.
  std::optional<std::chrono::seconds> timeout;
};

/// Says `signal` to whoever follows the slot, by a logical message for which this session vouches, and waits for the
/// answer on a channel whose name nobody else knows. `report` hears all news on the way, fit to be shown. A follower
/// that ends before it answers is waited for, for a minute.
///
/// Errors: kRefused with the follower's reason, or if the snapshot was cancelled; kWaiting if there is no answer yet,
/// and there is none to be waited for.
Status ask_follower(const DatabaseOptions& options, const SnapshotSignal& signal, const AnswerWait& wait,
                    const StopRequest& stop, const std::function<void(const SnapshotNews&)>& report);

}  // namespace walcat
