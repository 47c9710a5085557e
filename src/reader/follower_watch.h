#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Watches a slot from the session that has asked its walcat for something: the walcat may end before it answers, and
/// another may take over, or none.
///
/// Threads: a value of one thread.
class FollowerWatch {
 public:
  /// `connection` is borrowed. `timeout`: the most that is waited altogether; nothing: as long as the slot is followed.
  FollowerWatch(Connection& connection, std::string slot, std::optional<std::chrono::seconds> timeout,
                const log::Logger& logger);

  /// Looks at the slot, and tells when its walcat is gone and when one is there again. True if another session reads
  /// the slot than at the last look: its walcat may never have heard the question.
  ///
  /// Errors: kWaiting after `timeout`, or when nothing has read the slot for a minute; what the connection says.
  Result<bool> look();

 private:
  using Clock = std::chrono::steady_clock;

  Status miss(Clock::time_point now);

  Connection& connection_;
  const std::string slot_;
  const std::optional<std::chrono::seconds> timeout_;
  const log::Logger logger_;
  const Clock::time_point began_ = Clock::now();
  /// Process that has read the slot at the last look that found one; 0: none was found yet.
  int reader_ = 0;
  /// Since when nothing reads the slot.
  std::optional<Clock::time_point> missed_since_;
};

}  // namespace walcat
