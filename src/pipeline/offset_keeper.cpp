#include "offset_keeper.h"

#include <algorithm>

namespace walcat {

namespace {

// Small tables are done by the thousand: their chunks are stored together.
constexpr std::chrono::milliseconds kChunksInterval{50};

}  // namespace

OffsetKeeper::OffsetKeeper(const Options& options, const std::vector<std::unique_ptr<Lane>>& lanes, Sink& sink,
                           Recorder* recorder)
    : options_(options),
      lanes_(lanes),
      sink_(sink),
      recorder_(recorder),
      next_flush_(Clock::now() + options.flush_interval) {}

void OffsetKeeper::run() {
  keep();
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  stop_changed_.notify_one();
}

void OffsetKeeper::keep() {
  while (!all_settled()) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, next_event(), [&] { return woken_; });
      woken_ = false;
    }
    const auto now = Clock::now();
    const bool due = now >= next_flush_;
    if (due) next_flush_ = now + options_.flush_interval;
    const bool chunks_due = now >= next_chunks_;
    if (chunks_due) next_chunks_ = now + kChunksInterval;
    flush(due, chunks_due);
  }
}

void OffsetKeeper::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_one();
}

void OffsetKeeper::begin_stop() {
  const std::lock_guard lock(mutex_);
  if (!stop_began_) stop_began_ = Clock::now();
  stop_changed_.notify_one();
}

Status OffsetKeeper::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool OffsetKeeper::all_settled() const {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->settled.load(std::memory_order_relaxed); });
}

// Whatever is written was recorded before.
Status OffsetKeeper::sync() const {
  const Status synced = sink_.sync();
  return synced.is_ok() && recorder_ != nullptr ? recorder_->sync() : synced;
}

// Stores the lanes that are drained, and all that moved when the time has come.
void OffsetKeeper::flush(bool all_lanes, bool all_chunks) {
  // The position before what goes with it, and both before the sync: what is stored is on disk, and no snapshot that
  // was asked for below the position is missing.
  struct Due {
    Lane* lane;
    bool is_last;
    std::uint64_t beginning;
    Lsn position;
    std::optional<Offset> offset;
  };
  std::vector<Due> due;
  for (const auto& lane : lanes_) {
    if (lane->settled.load(std::memory_order_relaxed)) continue;
    const bool is_last = lane->drained.load(std::memory_order_acquire);
    const bool has_chunks = all_chunks && lane->chunks_due.exchange(false, std::memory_order_acquire);
    const bool is_due = lane->flush_due.exchange(false, std::memory_order_acquire) || has_chunks || all_lanes;
    const bool moved = lane->written().value > lane->stored.load(std::memory_order_relaxed);
    if (!is_last && !(is_due && (lane->take_snapshot_news() || moved))) continue;
    const std::uint64_t beginning = lane->beginning();
    const Lsn position = lane->written();
    due.push_back({lane.get(), is_last, beginning, position, lane->identity()});
  }
  if (due.empty()) {
    // Within a long transaction no position moves, and yet the file may have been moved. A sync that fails is told by
    // the next write, or the next lane that is due.
    if (all_lanes && sink_.has_unsynced()) static_cast<void>(sink_.sync());
    return;
  }
  // One sync serves all; what is written meanwhile waits for the next round.
  const Status synced = sync();
  for (Due& one : due) {
    if (!synced.is_ok()) {
      one.lane->return_snapshot_news();
      // A full disk is waited for, and complained about, where it is written.
      if (one.is_last || !synced.is_transient()) {
        one.lane->errors.note(synced, FaultKind::kOutput);
        one.lane->logger.error("no offset is stored: {}", synced.message());
      }
      if (one.is_last) note_failure(synced);
    }
    if (synced.is_ok() && one.offset) store(*one.lane, *one.offset, one.position, one.beginning, one.is_last);
    if (one.is_last) one.lane->settled.store(true, std::memory_order_release);
    one.lane->stop.wake().notify();
  }
}

void OffsetKeeper::store(Lane& lane, Offset& offset, Lsn position, std::uint64_t beginning, bool is_last) {
  if (is_last) {
    offset.done = lane.written_in_part();
  } else if (position > offset.done.open_commit_lsn) {
    // Until then the transaction that an earlier run left open is still to come.
    offset.done = ResumePoint{};
  }
  offset.done.position = position;
  const Status stored = lane.store(offset, beginning);
  if (stored.is_ok()) {
    if (offset.snapshot) lane.note_sessions(offset.snapshot->sessions);
    if (is_last) lane.is_stored_whole.store(true, std::memory_order_release);
    return;
  }
  lane.return_snapshot_news();
  lane.errors.note(stored, FaultKind::kOffset);
  lane.logger.error("{}; nothing is confirmed to the server until it can be stored", stored.message());
  if (is_last) note_failure(stored);
}

void OffsetKeeper::note_failure(const Status& failure) {
  const std::lock_guard lock(mutex_);
  failure_ = failure;
}

// A stop waits for commits, then for the output, but for neither for ever.
void OffsetKeeper::enforce_deadlines() {
  std::optional<Clock::time_point> began;
  {
    std::unique_lock lock(mutex_);
    stop_changed_.wait(lock, [&] { return stop_began_ || is_over_; });
    began = stop_began_;
  }
  if (!began || !passes(*began + options_.shutdown_timeout)) return;
  for (const auto& lane : lanes_) {
    lane->cut.store(true, std::memory_order_release);
    lane->stop.wake().notify();
  }
  if (!passes(*began + 2 * options_.shutdown_timeout)) return;
  sink_.interrupt();
  if (recorder_ != nullptr) recorder_->interrupt();
}

// Waits for the deadline; false: every lane has settled before.
bool OffsetKeeper::passes(Clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return !stop_changed_.wait_until(lock, deadline, [&] { return is_over_; });
}

OffsetKeeper::Clock::time_point OffsetKeeper::next_event() const {
  auto next = next_flush_;
  const auto has_chunks = [](const auto& lane) { return lane->chunks_due.load(std::memory_order_relaxed); };
  if (std::any_of(lanes_.begin(), lanes_.end(), has_chunks)) next = std::min(next, next_chunks_);
  return next;
}

}  // namespace walcat
