#include "file_sink.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "remainder.h"
#include "walcat/base/log.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::seconds kComplaintInterval{30};
constexpr const char* kNoRoom = "waiting for room, nothing is lost";
constexpr const char* kNoFile = "the file that was written is gone; waiting for another, nothing is lost";

bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT; }

}  // namespace

FileSink::FileSink(std::shared_ptr<OutputFile> file) : file_(std::move(file)) {
  // A file that never had a name is meant so.
  may_warn_ = file_->place() != FilePlace::kDeleted;
}

Status FileSink::write(std::span<const iovec> parts, std::size_t& accepted) {
  accepted = 0;
  Turn turn = take_turn();
  Remainder rest(parts);
  while (rest.load()) {
    if (interrupted_.load(std::memory_order_relaxed)) return {StatusCode::kStopped, "output interrupted"};
    if (const int failed = sync_error_.load(std::memory_order_relaxed)) return output_error(file_->name(), failed);
    if (is_stranded_) {
      if (const Status found = follow_path(file_->place()); is_stranded_) wait_for(turn, found, kNoFile);
      continue;
    }
    const ssize_t written = ::writev(file_->fd(), rest.window(), rest.count());
    if (written >= 0) {
      is_mid_line_ = true;
      accepted += static_cast<std::size_t>(written);
      accepted_ += static_cast<std::uint64_t>(written);
      has_unsynced_.store(true, std::memory_order_relaxed);
      rest.advance(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (!is_disk_full(errno)) return output_error(file_->name(), errno);
    is_full_ = true;
    wait_for(turn, output_error(file_->name(), errno), kNoRoom);
    // Its deletion makes room only once it is closed.
    if (file_->place() == FilePlace::kDeleted) is_stranded_ = file_->has_path();
  }
  is_mid_line_ = false;
  if (std::exchange(is_full_, false)) {
    next_complaint_ = {};
    log::write(log::Level::kInfo, "", "output " + file_->name() + ": the disk has room again");
  }
  return Status::ok();
}

FileSink::Turn FileSink::take_turn() {
  const std::lock_guard next(next_turn_);
  return Turn(turn_);
}

// What was taken stays, and the next byte follows it: half a line is whole in the end. sync() gets its turn meanwhile.
void FileSink::wait_for(Turn& turn, const Status& obstacle, const char* way_out) {
  complain(obstacle, way_out);
  turn.unlock();
  pollfd wake{wake_.fd(), POLLIN, 0};
  ::poll(&wake, 1, static_cast<int>(kWait.count()));
  turn = take_turn();
}

void FileSink::complain(const Status& obstacle, const char* way_out) {
  if (obstacle.code() == StatusCode::kStopped) return;
  const auto now = std::chrono::steady_clock::now();
  if (now < next_complaint_) return;
  next_complaint_ = now + kComplaintInterval;
  errors.note(obstacle, FaultKind::kOutput);
  log::write(log::Level::kWarning, "", fmt::format("{}; {}", obstacle.message(), way_out));
}

// What is accepted from now on is for the next one.
Status FileSink::sync() {
  has_unsynced_.store(false, std::memory_order_relaxed);
  const Status synced = sync_and_follow();
  if (!synced.is_ok()) has_unsynced_.store(true, std::memory_order_relaxed);
  return synced;
}

Status FileSink::sync_and_follow() {
  Turn turn = take_turn();
  const auto file = file_;
  const std::uint64_t accepted = accepted_;
  turn.unlock();
  if (const int failed = sync_error_.load(std::memory_order_relaxed)) return output_error(file->name(), failed);
  if (const int error = file->sync()) return sync_failed(*file, error);
  turn = take_turn();
  // write() has changed the file meanwhile, and synced what came before.
  if (file != file_) return Status::ok();
  const FilePlace place = file->place();
  if (!file->has_path()) {
    warn_of_lost_name(place);
    return Status::ok();
  }
  if (place != FilePlace::kDeleted) settled_ = std::max(settled_, accepted);
  const Status found = follow_path(place);
  if (is_stranded_) complain(found, kNoFile);
  return settled_ >= accepted ? Status::ok() : Status(StatusCode::kUnavailable, found.message());
}

// The system may have dropped what it could not store, and a second attempt would know nothing of it.
Status FileSink::sync_failed(const OutputFile& file, int error) {
  sync_error_.store(error, std::memory_order_relaxed);
  return output_error(file.name(), error);
}

Status FileSink::follow_path(FilePlace place) {
  Status found;
  // Of a line that is begun the file that was moved gets the rest, too: it has a name.
  if (place == FilePlace::kMoved && !is_mid_line_) found = follow_moved();
  if (place == FilePlace::kDeleted) found = follow_deleted();
  is_stranded_ = !found.is_ok() && sync_error_.load(std::memory_order_relaxed) == 0;
  return found;
}

Status FileSink::follow_moved() {
  if (const int error = file_->sync()) return sync_failed(*file_, error);
  auto next = file_->open_next();
  if (!next.is_ok()) return next.status();
  log::write(log::Level::kInfo, "", fmt::format("output {}: the file was moved; a new one is begun", file_->name()));
  take_up(std::move(*next));
  return Status::ok();
}

Status FileSink::follow_deleted() {
  auto next = file_->open_next();
  if (!next.is_ok()) return next.status();
  const std::uint64_t unsettled = accepted_ - settled_;
  if (const Status taken = (*next)->take_over(*file_, unsettled, interrupted_); !taken.is_ok()) return taken;
  log::write(log::Level::kWarning, "",
             fmt::format("output {}: the file was deleted; a new one begins with the {} bytes written since the last "
                         "sync, which may have been read before; hint: rename it, so that no line comes twice",
                         file_->name(), unsettled));
  take_up(std::move(*next));
  return Status::ok();
}

void FileSink::take_up(std::shared_ptr<OutputFile> next) {
  file_ = std::move(next);
  settled_ = accepted_;
  next_complaint_ = {};
}

void FileSink::warn_of_lost_name(FilePlace place) {
  if (place != FilePlace::kDeleted || !std::exchange(may_warn_, false)) return;
  const Status lost(StatusCode::kOutputFailed,
                    "output stdout: the file was deleted; lines go on into it, where nobody can find them");
  errors.note(lost, FaultKind::kOutput);
  log::write(log::Level::kWarning, "",
             lost.message() + "; hint: start walcat again, with output.path, which is opened anew");
}

void FileSink::interrupt() {
  interrupted_.store(true, std::memory_order_relaxed);
  wake_.notify();
}

}  // namespace walcat
