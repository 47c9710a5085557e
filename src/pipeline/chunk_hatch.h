#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "walcat/model/batch.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

/// Where the lane's reader hands the worker of incremental snapshots an empty batch, and takes a chunk of rows for it.
///
/// There is room for one of each: a chunk is read when the one before has gone down the street.
/// Threads: the lane's reader's half and the worker's half, each from one thread, at the same time.
class ChunkHatch {
 public:
  /// `news` is notified when a batch is wanted; borrowed.
  explicit ChunkHatch(const WakeFd& news) : news_(news) {}

  // The lane's reader's half.

  /// Whether the worker waits for a batch; then give() one.
  bool wants_batch() const;
  void give(std::unique_ptr<Batch> batch);
  /// The chunk whose place `mark` marks, labelled with it; null if it is none of ours.
  std::unique_ptr<Batch> take(const SnapshotSignal& mark);
  /// Wakes the worker for good.
  void close();
  /// After the worker's end: the batches that nobody has taken.
  std::vector<std::unique_ptr<Batch>> clear_out();

  // The worker's half.

  /// An empty batch; null once closed.
  std::unique_ptr<Batch> wait_for_batch();
  /// Lays a chunk down for whoever meets `mark` in the stream.
  void put(std::unique_ptr<Batch> chunk, const std::string& mark);
  /// The chunk that was put last; null if it was taken.
  std::unique_ptr<Batch> take_back();

 private:
  const WakeFd& news_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  bool wants_batch_ = false;
  std::unique_ptr<Batch> free_;
  std::unique_ptr<Batch> chunk_;
  std::string mark_;
};

}  // namespace walcat
