#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walcat/base/counted_notice.h"
#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

/// Gathers what the stream's messages say about incremental snapshots, until their transactions commit. Every role of
/// the database can write such messages: of a transaction few are looked at, none that is long, and what is wrong with
/// them is said once a minute.
///
/// Threads: a value of one thread.
class SignalIntake {
 public:
  SignalIntake(std::string slot, const log::Logger& logger) : slot_(std::move(slot)), logger_(logger) {}

  /// A transaction begins: forgets what another said that did not commit.
  void begin();
  /// A logical message, from behind the byte that names its kind.
  void meet(std::string_view message);
  /// `frame`, which has a message behind its first `header` bytes, without the message's content; nothing if that is
  /// not about incremental snapshots, or is short enough to be read.
  static std::optional<std::string> without_content(std::string_view frame, std::size_t header);
  /// The transaction has committed: what it said is true. Whether it said something.
  bool commit(Lsn commit_lsn, std::int64_t commit_time);

  /// Forgets all that was not taken.
  void forget() {
    begin();
    signals_.clear();
  }
  /// What was said by transactions that have committed, in their order.
  std::vector<SnapshotSignal> take() { return std::exchange(signals_, {}); }

 private:
  enum Fault : std::size_t { kTooLong, kTooMany, kMalformed, kFaults };
  void pass_over(Fault fault, const std::string& what);

  const std::string slot_;
  const log::Logger logger_;
  std::size_t met_ = 0;
  std::vector<SnapshotSignal> in_transaction_;
  std::vector<SnapshotSignal> signals_;
  std::array<CountedNotice, kFaults> notices_;
};

}  // namespace walcat
