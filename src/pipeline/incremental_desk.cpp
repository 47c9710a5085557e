#include "incremental_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace walcat {

namespace {

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

}  // namespace

IncrementalDesk::IncrementalDesk(IncrementalReader& reader, const WakeFd& news, const log::Logger& logger)
    : news_(news), logger_(logger), reader_(reader) {}

void IncrementalDesk::resume(const std::vector<IncrementalSnapshot>& snapshots) {
  const std::lock_guard lock(mutex_);
  for (const IncrementalSnapshot& snapshot : snapshots) {
    const auto is_same = [&](const IncrementalSnapshot& known) { return known.id == snapshot.id; };
    if (std::none_of(snapshots_.begin(), snapshots_.end(), is_same)) snapshots_.push_back(snapshot);
  }
  changed_.notify_all();
}

void IncrementalDesk::add(const IncrementalSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  snapshots_.push_back(snapshot);
  has_news_ = true;
  changed_.notify_all();
}

// After a reconnect the stream may bring messages once more.
bool IncrementalDesk::hear(const std::vector<SnapshotSignal>& signals) {
  const Lsn heard = heard_;
  const std::lock_guard lock(mutex_);
  for (const SnapshotSignal& signal : signals) {
    heard_ = std::max(heard_, signal.commit_lsn);
    if (signal.kind == SnapshotSignal::Kind::kMark || signal.commit_lsn <= heard) continue;
    asked_.push_back(signal);
  }
  if (asked_.empty()) return false;
  changed_.notify_all();
  return true;
}

bool IncrementalDesk::is_busy() const {
  const std::lock_guard lock(mutex_);
  const auto is_paused = [](const IncrementalSnapshot& snapshot) { return snapshot.is_paused; };
  return !std::all_of(snapshots_.begin(), snapshots_.end(), is_paused);
}

std::shared_ptr<const std::vector<IncrementalSnapshot>> IncrementalDesk::take_news() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(has_news_, false)) return nullptr;
  return std::make_shared<const std::vector<IncrementalSnapshot>>(snapshots_);
}

void IncrementalDesk::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

// Between snapshots there is nothing to hold a connection for.
std::optional<IncrementalSnapshot> IncrementalDesk::wait_for_snapshot() {
  for (;;) {
    answer();
    std::unique_lock lock(mutex_);
    if (is_closed_) return std::nullopt;
    if (!snapshots_.empty()) return snapshots_.front();
    if (!asked_.empty()) continue;
    reader_.disconnect();
    changed_.wait(lock, [&] { return is_closed_ || !snapshots_.empty() || !asked_.empty(); });
  }
}

Status IncrementalDesk::check_in(const std::string& id) {
  for (;;) {
    answer();
    std::unique_lock lock(mutex_);
    if (is_closed_ || snapshots_.empty() || snapshots_.front().id != id) return stopped();
    if (!asked_.empty()) continue;
    if (!snapshots_.front().is_paused) return Status::ok();
    changed_.wait(lock,
                  [&] { return is_closed_ || !asked_.empty() || snapshots_.empty() || !snapshots_.front().is_paused; });
  }
}

Status IncrementalDesk::check_in_until(const std::string& id, Clock::time_point time) {
  while (Clock::now() < time) {
    if (Status go_on = check_in(id); !go_on.is_ok()) return go_on;
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, time, [&] { return is_closed_ || !asked_.empty(); });
  }
  return Status::ok();
}

Status IncrementalDesk::store(IncrementalSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  if (snapshots_.empty() || snapshots_.front().id != snapshot.id) return stopped();
  snapshot.is_paused = snapshots_.front().is_paused;
  snapshots_.front() = snapshot;
  has_news_ = true;
  return Status::ok();
}

bool IncrementalDesk::take_off(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (snapshots_.empty() || snapshots_.front().id != id) return false;
    snapshots_.erase(snapshots_.begin());
    has_news_ = true;
  }
  news_.notify();
  return true;
}

void IncrementalDesk::tell_end(const std::string& id, const std::string& state, const std::string& text) {
  ended_[id] = {state, text};
  reader_.tell(id, state, text);
}

bool IncrementalDesk::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return is_closed_; });
}

// Whoever asked asks again if nothing is heard of it.
void IncrementalDesk::answer() {
  for (;;) {
    SnapshotSignal signal;
    {
      const std::lock_guard lock(mutex_);
      if (asked_.empty() || is_closed_) return;
      signal = std::move(asked_.front());
      asked_.pop_front();
    }
    const std::string& id = signal.snapshot.id;
    auto by_right = is_asked_by_right(id);
    if (by_right.status().is_transient()) {
      // An idle connection may have been cut.
      reader_.disconnect();
      by_right = is_asked_by_right(id);
    }
    if (!by_right.is_ok()) {
      logger_.warning("question {} is not answered: {}", id, by_right.status().message());
      reader_.disconnect();
    } else if (!*by_right) {
      logger_.warning("question {} is refused: it was not asked by the role that walcat connects as", id);
      reader_.tell(id, "refused", "ask as the role that walcat connects as, and stay until it is answered");
    } else {
      obey(signal);
    }
  }
}

Result<bool> IncrementalDesk::is_asked_by_right(const std::string& id) {
  if (Status connected = reader_.connect(); !connected.is_ok()) return connected;
  return reader_.is_asked_by_right(id);
}

void IncrementalDesk::obey(const SnapshotSignal& signal) {
  const std::string& id = signal.snapshot.id;
  if (signal.kind == SnapshotSignal::Kind::kStart) return accept(signal.snapshot);
  const bool cancels = signal.kind == SnapshotSignal::Kind::kCancel;
  const bool pauses = signal.kind == SnapshotSignal::Kind::kPause;
  const char* state = cancels ? "cancelled" : (pauses ? "paused" : "resumed");
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(mutex_);
    for (IncrementalSnapshot& snapshot : snapshots_) {
      ids.push_back(snapshot.id);
      snapshot.is_paused = pauses;
    }
    if (cancels) snapshots_.clear();
    has_news_ = true;
  }
  news_.notify();
  for (const std::string& snapshot : ids) {
    if (cancels) ended_[snapshot] = {state, "on request"};
    logger_.info("incremental snapshot {}: {}", snapshot, state);
    reader_.tell(snapshot, state, "on request");
  }
  std::string told = ids.empty() ? "no incremental snapshot is under way" : "";
  for (const std::string& snapshot : ids) told += (told.empty() ? "" : ", ") + snapshot;
  reader_.tell(id, ids.empty() ? "idle" : state, told);
}

// All tables at once: who asks learns of a wrong one before a row is read.
void IncrementalDesk::accept(const IncrementalSnapshot& asked) {
  if (const auto ended = ended_.find(asked.id); ended != ended_.end()) {
    return reader_.tell(asked.id, ended->second.state, ended->second.text);
  }
  std::size_t before = 0;
  bool is_known = false;
  {
    const std::lock_guard lock(mutex_);
    before = snapshots_.size();
    for (const IncrementalSnapshot& known : snapshots_) is_known = is_known || known.id == asked.id;
  }
  // A walcat that has died may have accepted it without a word.
  if (is_known) return reader_.tell(asked.id, "accepted", "it is under way");
  for (const TableName& table : asked.tables) {
    const auto parts = reader_.plan(table, asked.where);
    if (parts.is_ok()) continue;
    const Status& why = parts.status();
    logger_.error("incremental snapshot {} refused: {}", asked.id, why.message());
    // What may heal is asked again.
    if (why.is_transient()) return reader_.tell(asked.id, "refused", why.message());
    return tell_end(asked.id, "refused", why.message());
  }
  {
    const std::lock_guard lock(mutex_);
    snapshots_.push_back(asked);
    has_news_ = true;
  }
  news_.notify();
  const std::string behind = before > 0 ? fmt::format(", behind {} others", before) : "";
  reader_.tell(asked.id, "accepted", fmt::format("{} tables{}", asked.tables.size(), behind));
}

}  // namespace walcat
