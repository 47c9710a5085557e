#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "thread_group.h"
#include "walcat/base/log.h"
#include "walcat/model/batch.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

/// The threads that read a database's snapshot, and the desk where its reader hands them batches and takes them back.
///
/// The reader alone stands at the lane: workers only ever hold batches it gave them, so the lane knows one producer
/// throughout. The last row of each chunk is kept back until it is known whether its table, or the whole snapshot, ends
/// with it; its chunk is done with it.
/// Threads: the workers are its own; all methods from the reader.
class SnapshotCrew {
 public:
  /// `news` is notified when the reader has something to do here. Borrows all but the label.
  SnapshotCrew(const DatabaseOptions& options, const SnapshotStart& start, const WakeFd& news,
               const log::Logger& logger);
  ~SnapshotCrew();
  SnapshotCrew(const SnapshotCrew&) = delete;
  SnapshotCrew& operator=(const SnapshotCrew&) = delete;

  /// Whether a batch is wanted; then give() one.
  bool wants_batch() const;
  void give(std::unique_ptr<Batch> batch);
  /// Whether take() wants a batch of the reader's for rows that were kept back.
  bool wants_spare() const;
  /// A batch to ship next, marks and all; null if there is none now. It may be `spare`, which may be null.
  std::unique_ptr<Batch> take(std::unique_ptr<Batch>& spare);
  /// Asks the workers to give up, waits for them, and returns the batches that they did not use.
  std::vector<std::unique_ptr<Batch>> dismiss();
  /// After dismiss(): the rows that were kept back are to be taken as they are, for the snapshot ends unfinished.
  void release_kept_rows();
  /// After dismiss(): batches of rows that nobody wants any more.
  std::vector<std::unique_ptr<Batch>> discard();
  /// Everything was taken.
  bool is_over() const;
  /// Why no more rows come, if that is not because they were all read.
  Status failure() const;

  std::uint64_t rows() const { return rows_read_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_read_.load(std::memory_order_relaxed); }
  std::size_t tasks_done() const { return tasks_done_.load(std::memory_order_relaxed); }

 private:
  // A row that was kept back, and the chunks that are done with it.
  struct KeptRow {
    std::size_t source = 0;
    std::optional<std::string> text;
    std::vector<ChunkId> chunks;
    SnapshotMark mark = SnapshotMark::kInside;
    bool ends_snapshot = false;
    /// What is charged for it, if it is larger than a batch.
    LargeRows::Hold large;
  };
  struct Table {
    std::size_t tasks_left = 0;
    bool is_begun = false;
    std::optional<KeptRow> kept;
    std::vector<ChunkId> empty_chunks;
  };
  struct Full {
    std::unique_ptr<Batch> batch;
    std::size_t source = 0;
  };

  void run_worker(const StopRequest& stop);
  void work(const StopRequest& stop, std::unique_ptr<Batch>& batch);
  void read_task(ChunkReader& reader, const SnapshotTask& task, std::unique_ptr<Batch>& batch);
  std::optional<SnapshotTask> next_task();
  std::unique_ptr<Batch> wait_for_batch();
  void put_full(std::unique_ptr<Batch>& batch, std::size_t source);
  void end_task(const SnapshotTask& task, std::optional<std::string> last_row, LargeRows::Hold large);
  void end_table(Table& table, std::size_t source);
  void fail(const Status& status);
  void fill_with_kept_rows(Batch& batch);
  void mark_first(Batch& batch, std::size_t source);

  const DatabaseOptions& options_;
  const SnapshotStart& start_;
  const WakeFd& news_;
  const log::Logger logger_;

  mutable std::mutex mutex_;
  std::condition_variable batch_given_;
  std::size_t next_task_ = 0;
  std::size_t workers_waiting_ = 0;
  bool stopping_ = false;
  bool is_begun_ = false;
  bool is_ended_ = false;
  Status failure_;
  std::vector<Table> tables_;
  std::size_t tables_left_ = 0;
  /// The last row of the table that ended last.
  std::optional<KeptRow> last_of_table_;
  /// Has room for all that may come: batches are given back where memory is short.
  std::vector<std::unique_ptr<Batch>> free_;
  std::deque<Full> full_;
  std::deque<KeptRow> released_;

  std::atomic<std::uint64_t> rows_read_{0};
  std::atomic<std::uint64_t> bytes_read_{0};
  std::atomic<std::size_t> tasks_done_{0};

  std::vector<std::unique_ptr<StopRequest>> stops_;
  ThreadGroup workers_{"snapshot"};
};

}  // namespace walcat
