#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "lane.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/wal_guard.h"

namespace walcat {

/// Looks at one lane's slot now and then, from beside the stream: writes a heartbeat where the slot does not move, and
/// has the WAL guard judge what it retains; and at the publication, for the lane's reader to see which tables have come
/// and gone.
///
/// It has a thread and a connection of its own, because a server may take long to answer, and the stream must not wait
/// for that. What goes wrong here is logged and tried again; of the lane it only leaves the reader what it has seen.
/// Threads: run() is the thread; stop() is thread-safe.
class SlotWatch {
 public:
  /// `lane` is borrowed.
  explicit SlotWatch(Lane& lane);

  /// Whether there is anything to watch for.
  static bool is_wanted(const DatabaseOptions& options);

  /// Until stop().
  void run();
  /// Ends run() soon, whatever it waits for.
  void stop() { stop_.request(); }

 private:
  using Clock = std::chrono::steady_clock;

  void watch();
  Status try_to_attend(bool beats, bool looks);
  Status attend(bool beats, bool looks);
  void note(const Status& status);
  Status connect();
  Status check_server() const;
  Status guard();
  Status look_at_tables();
  Status look_at_hidden_columns(Lsn position);
  Status beat();
  bool is_beat_due(Clock::time_point now);
  Clock::time_point next_event(Clock::time_point now) const;

  Lane& lane_;
  StopRequest stop_;
  std::unique_ptr<Connection> connection_;
  /// Of the server that answers there; empty if it may not be asked.
  std::string system_identifier_;
  /// Why the last attempt failed: the same is no news.
  std::string failure_;

  WalGuard guard_;
  const std::chrono::milliseconds interval_;
  /// What was shown last, and in which session.
  std::vector<MemberTable> members_;
  std::uint64_t session_ = 0;
  Clock::time_point next_look_;

  /// Since when the output stands where it is, as far as was seen.
  Clock::time_point stands_since_;
  Lsn stands_at_;
  /// The last heartbeat. There is none after it until the output has come to it.
  Lsn beat_;
};

}  // namespace walcat
