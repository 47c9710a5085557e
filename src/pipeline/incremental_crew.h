#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

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
/// Threads: all but the worker's own half from the lane's reader.
class IncrementalCrew {
 public:
  /// `news` is notified when the reader is to look. Borrows all but the logger.
  IncrementalCrew(const DatabaseOptions& options, const Selection& selection, SnapshotWindow& window,
                  const WakeFd& news, const log::Logger& logger);
  ~IncrementalCrew();

  /// Goes on with what an earlier run left.
  void resume(const std::vector<IncrementalSnapshot>& snapshots);
  /// Hears what messages ask for, each once however often the stream brings it; passes marks over.
  void hear(const std::vector<SnapshotSignal>& signals);
  /// Whether there are rows to be read.
  bool is_busy() const;

  /// Whether the worker waits for a free batch, and for any batch to go down the street.
  bool wants_batch() const;
  bool wants_passage() const;
  void give(std::unique_ptr<Batch> batch);

  /// The chunk whose place `mark` marks, labelled; null if it is none of ours.
  std::unique_ptr<Batch> take_chunk(const SnapshotSignal& mark);
  /// What is under way, if that has changed since it was asked.
  std::shared_ptr<const std::vector<IncrementalSnapshot>> take_news();

  /// Ends the worker and returns the batches that it holds.
  std::vector<std::unique_ptr<Batch>> dismiss();

 private:
  using Clock = std::chrono::steady_clock;
  using Key = IncrementalReader::Key;

  void start_worker();

  // The worker's half.
  void work();
  bool wait_for_snapshot();
  void answer();
  void obey(const SnapshotSignal& signal);
  void accept(const IncrementalSnapshot& asked);
  Status read_snapshot(IncrementalSnapshot& snapshot);
  Status check_tables(IncrementalSnapshot& snapshot);
  void pass_over(const Status& status);
  std::string expected_rows() const;
  Status begin_following();
  Status read_table(IncrementalSnapshot& snapshot);
  Result<bool> read_part(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Result<bool> read_pass(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status read_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status wait_for_sight();
  void give_up_restless_rows();
  Status copy_missed(const KeyedPart& part, const IncrementalSnapshot& snapshot);
  Status copy_chunk(const KeyedPart& part, const IncrementalSnapshot& snapshot);
  Status insert_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status settle_chunk(const SnapshotWindow::Verdict& verdict, IncrementalSnapshot& snapshot);
  void collect_missed();
  Status store(IncrementalSnapshot& snapshot);
  Status check_in(const IncrementalSnapshot& snapshot);
  Status keep_rate(const IncrementalSnapshot& snapshot);
  void report(const IncrementalSnapshot& snapshot);
  void finish(const std::string& id, const Status& status);
  bool sleep(std::chrono::milliseconds time);
  std::unique_ptr<Batch> wait_for_batch();

  SnapshotWindow& window_;
  const WakeFd& news_;
  const log::Logger logger_;
  StopRequest stop_;
  std::thread worker_;

  // Any thread.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<IncrementalSnapshot> snapshots_;
  bool snapshots_changed_ = false;
  /// For the worker to obey.
  std::deque<SnapshotSignal> asked_;
  bool wants_batch_ = false;
  bool wants_passage_ = false;
  std::unique_ptr<Batch> free_;
  struct Held {
    std::unique_ptr<Batch> batch;
    std::string mark;
  };
  std::optional<Held> held_;

  // Reader.
  Lsn heard_;

  // Worker.
  IncrementalReader reader_;
  /// What became of this run's snapshots, for who asks again.
  std::map<std::string, std::pair<std::string, std::string>> ended_;
  const std::string run_;
  std::uint64_t chunk_ = 0;
  std::unique_ptr<Batch> batch_;

  // A run through the rows of the part in hand.
  struct Reading {
    /// The last row that was read, and the last there was when the run began; without one it is to be found out.
    Key after;
    Key last;
    std::string where;
    /// Whether it only looks after rows that were read, for what the stream left out while nobody was watching.
    bool is_repair = false;
    std::size_t rows_most = 0;
    bool at_end = false;
    bool has_changed_shape = false;
    /// In a row: chunks that were blind, that were to be read again, and that were left out.
    std::size_t blind = 0;
    std::size_t unclear = 0;
    std::size_t fruitless = 0;
    /// Rows to be read by key; how many of them at once, and in the chunk in hand.
    std::vector<Key> missed;
    std::size_t missed_most = 0;
    std::size_t asked = 0;
    bool chunk_ends_part = false;
    Key chunk_last;
    VisibleTransactions visible;
  };
  Reading reading_;

  // The snapshot in hand.
  struct Tally {
    Clock::time_point began;
    Clock::time_point next_log;
    Clock::time_point next_news;
    std::uint64_t printed = 0;
    std::uint64_t left_out = 0;
    std::uint64_t read = 0;
    /// When the next chunk may be read, by the rate.
    Clock::time_point next_chunk;
    std::uint64_t read_before = 0;
    /// Negative if the planner knows nothing of some table.
    double expected = 0;
    /// Tables that went away meanwhile.
    std::string gone;
  };
  Tally tally_;
};

}  // namespace walcat
