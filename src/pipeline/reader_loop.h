#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "batch_pool.h"
#include "incremental_crew.h"
#include "lane.h"
#include "slot_check.h"
#include "snapshot_crew.h"
#include "walcat/reader/replication_source.h"
#include "walcat/retry/backoff.h"
#include "walcat/retry/circuit_breaker.h"

namespace walcat {

/// What a reader thread does: fills batches from its source and ships them, through failures, until the lane ends.
///
/// Threads: run() is the thread.
class ReaderLoop {
 public:
  /// `shipping` takes every batch down the street, `wake_keeper` is called when the lane has something to be stored at
  /// once. Borrows lane and batches.
  ReaderLoop(Lane& lane, SharedBatches& shared, const Bounds& bounds, const BackoffOptions& retry,
             const CircuitBreakerOptions& breaker, std::function<void(std::unique_ptr<Batch>)> shipping,
             std::function<void()> wake_keeper);

  /// Reads until a bound, a stop or a failure; then sees the last batch and the last offset through.
  void run();

 private:
  bool step();
  bool have_batch();
  void attend_incremental();
  void serve_incremental();
  bool take_snapshot();
  Status store_session(const SnapshotStart& start);
  bool bring_source_up_to_date();
  void publish();
  Status look_at_tables();
  void take_table_news();
  void put_news();
  bool begin_anew(const Status& gap);
  std::unique_ptr<IncrementalCrew> take_on_crew() const;
  void dismiss_crew();
  Status attend_crew(SnapshotCrew& crew, const SnapshotStart& start);
  void report_snapshot(const SnapshotCrew& crew, const SnapshotStart& start);
  std::string snapshot_progress(const SnapshotCrew& crew, const SnapshotStart& start) const;
  void ship_rest(SnapshotCrew& crew);
  void ship(std::unique_ptr<Batch> batch);
  bool survive(const Status& status);
  std::chrono::milliseconds pause_after(const Status& status);
  void note_success();
  void end_slot_check();
  bool past_stop();
  void send(bool is_last);
  void see_through();
  void report_progress();

  Lane& lane_;
  SharedBatches& shared_;
  ReplicationSource source_;
  /// One for each stream that begins from the offset file.
  std::unique_ptr<IncrementalCrew> incremental_;
  SlotCheck slot_check_;
  const std::chrono::milliseconds look_again_;
  Backoff backoff_;
  CircuitBreaker breaker_;
  /// What was said last while waiting, and when it is to be said again.
  std::string waiting_for_;
  std::chrono::steady_clock::time_point next_reminder_;
  std::function<void(std::unique_ptr<Batch>)> ship_;
  std::function<void()> wake_keeper_;
  std::unique_ptr<Batch> batch_;
  /// What is known of the tables, if a batch is to take it along.
  std::shared_ptr<const std::vector<FollowedTable>> tables_;
  bool published_ = false;
  std::uint32_t timeline_ = 0;
  std::chrono::steady_clock::time_point snapshot_began_;
  std::chrono::steady_clock::time_point next_report_;
  std::chrono::steady_clock::time_point next_status_;
};

}  // namespace walcat
