#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "chunk_hatch.h"
#include "incremental_desk.h"
#include "incremental_tally.h"
#include "part_reader.h"
#include "thread_group.h"
#include "walcat/base/log.h"
#include "walcat/decoder/snapshot_window.h"
#include "walcat/model/batch.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/queue/stop_request.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/reader/incremental_reader.h"
#include "walcat/reader/options.h"
#include "walcat/reader/snapshot_signal.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Reads tables while a lane's stream goes on: incremental snapshots, one after the other.
///
/// A thread of its own reads a chunk into a batch, then writes a mark into the server's log. When the lane's reader
/// meets the mark in the stream it ships the chunk right there: everything that the chunk sees has come by. What
/// changed in between the decoder leaves out (SnapshotWindow).
///
/// Reader and worker meet at the desk (what is to be read), at the hatch (batches) and in the window. Each of them has
/// its own lock, and nobody holds two.
///
/// Threads: all but the worker's own half from the lane's reader.
class IncrementalCrew {
 public:
  /// `news` is notified when the reader is to look. Borrows all but the logger.
  IncrementalCrew(const DatabaseOptions& options, const Selection& selection, SnapshotWindow& window,
                  const WakeFd& news, const log::Logger& logger);
  ~IncrementalCrew();

  /// Goes on with what an earlier run left.
  void resume(const std::vector<IncrementalSnapshot>& snapshots);
  /// Takes up what the lane's reader has found to be read.
  void add(const IncrementalSnapshot& snapshot);
  /// Hears what messages ask for, each once however often the stream brings it; passes marks over.
  void hear(const std::vector<SnapshotSignal>& signals);
  /// Whether there are rows to be read.
  bool is_busy() const { return desk_.is_busy(); }

  /// Whether the worker waits for a free batch, and for any batch to go down the street.
  bool wants_batch() const { return hatch_.wants_batch(); }
  bool wants_passage() const { return window_.lacks_follower(); }
  void give(std::unique_ptr<Batch> batch) { hatch_.give(std::move(batch)); }

  /// The chunk whose place `mark` marks, labelled; null if it is none of ours.
  std::unique_ptr<Batch> take_chunk(const SnapshotSignal& mark) { return hatch_.take(mark); }
  /// What is under way, if that has changed since it was asked.
  std::shared_ptr<const std::vector<IncrementalSnapshot>> take_news() { return desk_.take_news(); }

  /// Tries again to make the worker, if there is none where one is wanted.
  void look_for_worker();

  /// Ends the worker and returns the batches that it holds.
  std::vector<std::unique_ptr<Batch>> dismiss();

 private:
  using Clock = std::chrono::steady_clock;

  /// A table that is not read, and why.
  struct Refusal {
    TableName table;
    std::string why;
  };

  void start_worker();

  // The worker's half.
  void run_worker();
  void work();
  Status try_to_read(IncrementalSnapshot& snapshot);
  Status read_snapshot(IncrementalSnapshot& snapshot);
  Status check_tables(IncrementalSnapshot& snapshot);
  Status wait_for_rights(IncrementalSnapshot& snapshot, const std::set<TableName>& tables, const Status& why);
  Status put_off(IncrementalSnapshot& snapshot, const Status& why);
  Status begin_following();
  static std::string reason_of(const Refusal& refusal);
  void tell_not_read(const std::vector<Refusal>& refusals) const;
  Result<std::vector<IncrementalReader::Plan>> plan(const IncrementalSnapshot& snapshot,
                                                    std::span<const TableName> tables);
  void keep_plans(std::span<const TableName> tables, std::vector<IncrementalReader::Plan> plans);
  IncrementalReader::Plan plan_first(const IncrementalSnapshot& snapshot);
  Status read_table(IncrementalSnapshot& snapshot);
  Status give_up_table(const Status& why);
  void finish(const IncrementalSnapshot& snapshot, const Status& status);

  // Both.
  SnapshotWindow& window_;
  const WakeFd& news_;
  const log::Logger logger_;
  StopRequest stop_;

  // Worker; desk and hatch have a half for the reader.
  IncrementalReader reader_;
  IncrementalDesk desk_;
  ChunkHatch hatch_;
  IncrementalTally tally_;
  PartReader part_reader_;
  /// Tables of the snapshot in hand that come next; empty: to be planned when their turn comes.
  std::map<TableName, std::vector<KeyedPart>> planned_;
  /// Tables that were named as waiting for a right.
  std::set<TableName> told_;

  // Reader.
  ThreadGroup worker_{"incremental"};
  /// Whether the system has refused it, and when it is asked again.
  bool is_missing_ = false;
  Clock::time_point next_attempt_;
};

}  // namespace walcat
