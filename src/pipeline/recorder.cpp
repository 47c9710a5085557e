#include "recorder.h"

#include <fmt/format.h>
#include <poll.h>

#include <utility>

#include "walcat/base/log.h"
#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kFullDiskWait{1'000};
constexpr std::chrono::seconds kComplaintInterval{30};

// Of a disk that is full time will tell.
Status output_failed(const Status& status) {
  if (status.is_ok() || status.code() == StatusCode::kUnavailable) return status;
  return {StatusCode::kOutputFailed, "output " + status.message()};
}

}  // namespace

Recorder::Recorder(std::unique_ptr<CaptureWriter> writer) : writer_(std::move(writer)), run_(postgres_now_micros()) {}

Result<std::unique_ptr<Recorder>> Recorder::open(const CaptureOptions& options) {
  auto writer = CaptureWriter::open(options);
  if (!writer.is_ok()) return Status(StatusCode::kOutputFailed, "output " + writer.status().message());
  std::unique_ptr<Recorder> recorder(new Recorder(std::move(*writer)));
  if (recorder->writer_->bytes_cut() > 0) {
    log::write(
        log::Level::kWarning, "",
        fmt::format("capture file {}: the last {} bytes were no whole block and are cut off; their frames come again",
                    recorder->writer_->path(), recorder->writer_->bytes_cut()));
  }
  return recorder;
}

Status Recorder::record(const Batch& batch) { return record_rows(batch, batch.frames(), batch.frame_count()); }

Status Recorder::record_rows(const Batch& batch, std::string_view rows, std::size_t count) {
  if (rows.empty()) return Status::ok();
  std::unique_lock lock(mutex_);
  if (!failure_.is_ok()) return failure_;
  label(batch);
  parcel_.frames = rows;
  parcel_.frame_count = count;
  writer_->append(parcel_);
  while (writer_->is_out_of_room()) {
    if (interrupted_.load(std::memory_order_relaxed)) return {StatusCode::kStopped, "capture interrupted"};
    if (const Status written = writer_->write_gathered(); written.is_ok()) {
      log::write(log::Level::kInfo, "", fmt::format("output {}: the disk has room again", writer_->path()));
    } else if (written.code() == StatusCode::kUnavailable) {
      wait_for_room(written, lock);
    } else {
      return failure_ = output_failed(written);
    }
  }
  return Status::ok();
}

// What a replay must know of the batch beside its frames.
void Recorder::label(const Batch& batch) {
  if (sessions_.size() <= batch.lane) sessions_.resize(batch.lane + 1);
  auto& session = sessions_[batch.lane];
  if (session == nullptr || session->session != batch.session || session->beginning != batch.beginning) {
    session = std::make_shared<const CapturedSession>(
        CapturedSession{run_, batch.session, batch.beginning, batch.resume, batch.snapshot_point, batch.is_utf8});
  }
  parcel_.stream = batch.stream;
  parcel_.session = session;
  parcel_.received_at = batch.received_at;
  parcel_.notes = batch.notes;
  parcel_.snapshot = batch.snapshot;
  parcel_.first_mark = batch.first_mark;
  parcel_.last_mark = batch.last_mark;
  parcel_.chunk = batch.chunk;
  parcel_.chunk_commit_lsn = batch.chunk_commit_lsn;
  parcel_.chunk_commit_time = batch.chunk_commit_time;
}

// A full disk ends nothing: the street stands still until there is room. The keeper gets through meanwhile.
void Recorder::wait_for_room(const Status& full, std::unique_lock<std::mutex>& lock) {
  const auto now = std::chrono::steady_clock::now();
  if (now >= next_complaint_) {
    log::write(log::Level::kWarning, "", fmt::format("output {}; waiting for room, nothing is lost", full.message()));
    next_complaint_ = now + kComplaintInterval;
  }
  lock.unlock();
  pollfd wake{wake_.fd(), POLLIN, 0};
  ::poll(&wake, 1, static_cast<int>(kFullDiskWait.count()));
  lock.lock();
}

Status Recorder::sync() {
  const std::lock_guard lock(mutex_);
  Status synced = output_failed(writer_->sync());
  if (!synced.is_ok() && !synced.is_transient()) failure_ = synced;
  return synced;
}

void Recorder::interrupt() {
  interrupted_.store(true, std::memory_order_relaxed);
  wake_.notify();
}

}  // namespace walcat
