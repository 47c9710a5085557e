#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/capture/capture_writer.h"
#include "walcat/model/batch.h"
#include "walcat/queue/wake_fd.h"

namespace walcat {

/// Keeps what comes down the street in a capture, before anything is made of it.
///
/// Where the disk is full it waits for room, and the street with it: nothing is lost, readers go on to answer their
/// servers.
/// Threads: thread-safe; each lane's batches come from one thread, in their order.
class Recorder {
 public:
  /// Errors: those of CaptureWriter::open.
  static Result<std::unique_ptr<Recorder>> open(const CaptureOptions& options);

  /// Appends the batch's frames, if it has any.
  ///
  /// Errors: kOutputFailed if the file takes no more; kStopped after interrupt().
  Status record(const Batch& batch);
  /// The same with these rows in place of the batch's.
  Status record_rows(const Batch& batch, std::string_view rows, std::size_t count);

  /// Returns once all that was recorded is on the disk.
  ///
  /// Errors: kUnavailable while the disk is full; else kOutputFailed, for good.
  Status sync();

  /// Ends what waits for room, and everything later.
  void interrupt();

 private:
  explicit Recorder(std::unique_ptr<CaptureWriter> writer);

  void label(const Batch& batch);
  void wait_for_room(const Status& full, std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  const std::unique_ptr<CaptureWriter> writer_;
  CapturedParcel parcel_;
  /// Of each lane the latest.
  std::vector<std::shared_ptr<const CapturedSession>> sessions_;
  /// Tells the sessions of this run from those of another.
  const std::int64_t run_;
  /// Once there is one, nothing more is recorded.
  Status failure_;
  std::chrono::steady_clock::time_point next_complaint_;
  std::atomic<bool> interrupted_{false};
  WakeFd wake_;
};

}  // namespace walcat
