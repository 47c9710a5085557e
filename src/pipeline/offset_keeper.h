#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lane.h"
#include "recorder.h"
#include "walcat/writer/sink.h"

namespace walcat {

/// Stores every lane's offset each `flush_interval`, and at once when a lane is drained; watches the clock of a stop.
///
/// The order that loses nothing: read `written`, make output and capture durable, store the offset, only then let the
/// reader confirm it. Threads: run() is the keeper's thread, and enforce_deadlines() the stop clock's, for a disk may
/// keep the keeper waiting; the rest is thread-safe.
class OffsetKeeper {
 public:
  struct Options {
    std::chrono::milliseconds flush_interval{10'000};
    std::chrono::milliseconds shutdown_timeout{10'000};
  };

  /// `recorder` may be null. All must outlive this.
  OffsetKeeper(const Options& options, const std::vector<std::unique_ptr<Lane>>& lanes, Sink& sink,
               Recorder* recorder = nullptr);

  /// Until every lane has settled.
  void run();
  /// Keeps the deadlines of a stop, until run() has ended.
  void enforce_deadlines();

  /// Something may have changed: a lane is drained.
  void wake();
  /// A stop began: its deadlines count from now.
  void begin_stop();

  /// The last failure to store an offset at a lane's end.
  Status failure() const;

 private:
  using Clock = std::chrono::steady_clock;

  void keep();
  bool all_settled() const;
  Status sync() const;
  void flush(bool all_lanes, bool all_chunks);
  void store(Lane& lane, Offset& offset, Lsn position, std::uint64_t beginning, bool is_last);
  void note_failure(const Status& failure);
  bool passes(Clock::time_point deadline);
  Clock::time_point next_event() const;

  const Options options_;
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  Sink& sink_;
  Recorder* const recorder_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
  // Guarded by mutex_ as well: the clock's.
  std::condition_variable stop_changed_;
  bool is_over_ = false;
  std::optional<Clock::time_point> stop_began_;
  Status failure_;

  // Keeper.
  Clock::time_point next_flush_;
  Clock::time_point next_chunks_;
};

}  // namespace walcat
