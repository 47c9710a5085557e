#include "incremental_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

// Every role of the database can write questions, and whoever is entitled asks again.
constexpr std::size_t kAskedMost = 32;
// Those who asked may ask again at once, and want to know whose session it was that told them.
constexpr std::chrono::seconds kStay{10};
constexpr std::chrono::seconds kAsideLeast{1}, kAsideMost{60};

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
    if (asked_.size() < kAskedMost) {
      asked_.push_back(signal);
    } else if (const auto times = dropped_.add(1, Clock::now()); times > 0) {
      logger_.warning("{} questions about incremental snapshots were dropped: {} wait for an answer", times,
                      kAskedMost);
    }
  }
  if (asked_.empty()) return false;
  changed_.notify_all();
  return true;
}

bool IncrementalDesk::is_busy() const {
  const std::lock_guard lock(mutex_);
  const auto rests = [&](const IncrementalSnapshot& one) { return one.is_paused || set_aside_.contains(one.id); };
  return !std::all_of(snapshots_.begin(), snapshots_.end(), rests);
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
  const auto idle_since = Clock::now();
  for (;;) {
    answer();
    std::unique_lock lock(mutex_);
    if (is_closed_) return std::nullopt;
    if (const auto due = next_due(); due != snapshots_.end()) {
      std::rotate(snapshots_.begin(), due, due + 1);
      return snapshots_.front();
    }
    const auto is_wanted = [&] { return is_closed_ || !asked_.empty() || next_due() != snapshots_.end(); };
    if (changed_.wait_for(lock, kAsideLeast, is_wanted)) continue;
    if (Clock::now() - idle_since < kStay) continue;
    reader_.disconnect();
    if (set_aside_.empty()) changed_.wait(lock, is_wanted);
  }
}

std::vector<IncrementalSnapshot>::iterator IncrementalDesk::next_due() {
  return std::find_if(snapshots_.begin(), snapshots_.end(),
                      [&](const IncrementalSnapshot& one) { return !rests(one.id); });
}

bool IncrementalDesk::rests(const std::string& id) const {
  const auto pause = set_aside_.find(id);
  return pause != set_aside_.end() && pause->second.until > Clock::now();
}

bool IncrementalDesk::is_set_aside(const std::string& id) {
  const std::lock_guard lock(mutex_);
  return set_aside_.contains(id);
}

void IncrementalDesk::take_up(const std::string& id) {
  const std::lock_guard lock(mutex_);
  set_aside_.erase(id);
}

Status IncrementalDesk::set_aside(IncrementalSnapshot& snapshot, const std::set<TableName>& tables) {
  IncrementalSnapshot left = snapshot;
  std::set<TableName> others;
  for (const TableName& table : snapshot.tables) {
    if (!tables.contains(table)) others.insert(table);
  }
  left.leave_out(others);
  {
    const std::lock_guard lock(mutex_);
    if (snapshots_.empty() || snapshots_.front().id != snapshot.id) return stopped();
    left.is_paused = snapshots_.front().is_paused;
    Pause pause = set_aside_[snapshot.id];
    pause.length = std::clamp<Clock::duration>(2 * pause.length, kAsideLeast, kAsideMost);
    pause.until = Clock::now() + pause.length;
    has_news_ = true;
    if (others.empty()) {
      set_aside_[snapshot.id] = pause;
      snapshots_.front() = std::move(left);
      return stopped();
    }
    set_aside_.erase(snapshot.id);
    left.id = fmt::format("added-{}", postgres_now_micros());
    set_aside_[left.id] = pause;
    snapshots_.push_back(std::move(left));
  }
  snapshot.leave_out(tables);
  return store(snapshot);
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
    set_aside_.erase(id);
    has_news_ = true;
  }
  news_.notify();
  return true;
}

void IncrementalDesk::tell_end(const IncrementalSnapshot& snapshot, const std::string& state, const std::string& text) {
  ended_[snapshot.id] = {state, text};
  say(snapshot, state, text);
}

void IncrementalDesk::say(const IncrementalSnapshot& to, const std::string& state, const std::string& text) {
  reader_.tell(to.channel, {to.id, state, text});
}

bool IncrementalDesk::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return is_closed_; });
}

// Whoever asked asks again if nothing is heard of it.
void IncrementalDesk::answer() {
  for (;;) {
    std::vector<SnapshotSignal> asked;
    {
      const std::lock_guard lock(mutex_);
      if (asked_.empty() || is_closed_) return;
      asked.swap(asked_);
    }
    answer(asked);
  }
}

// One look at the server for all of them, however many nobody vouches for.
void IncrementalDesk::answer(const std::vector<SnapshotSignal>& asked) {
  auto vouchers = reader_.vouchers();
  if (vouchers.status().is_transient()) {
    // An idle connection may have been cut.
    reader_.disconnect();
    vouchers = reader_.vouchers();
  }
  if (!vouchers.is_ok()) {
    reader_.disconnect();
    const auto times = unanswered_.add(asked.size(), Clock::now());
    if (times > 0) logger_.warning("{} questions are not answered: {}", times, vouchers.status().message());
    return;
  }
  for (const SnapshotSignal& signal : asked) {
    if (vouchers->vouch_for(signal.digest)) {
      obey(signal);
    } else {
      note_foreign(signal);
    }
  }
}

// Not on its channel: that is for who may ask.
void IncrementalDesk::note_foreign(const SnapshotSignal& signal) {
  const auto times = foreign_.add(1, Clock::now());
  if (times == 0) return;
  logger_.warning(
      "question {} is refused: no session vouches for it of the role that walcat connects as, or of one that can "
      "become it, is named walcat snapshot and has no transaction open{}; hint: walcat snapshot does, until it is "
      "answered",
      signal.snapshot.id, times == 1 ? "" : fmt::format(" ({} such since this was said last)", times));
}

// Who hears no answer asks once more: that is the same question, whatever was asked since.
void IncrementalDesk::obey(const SnapshotSignal& signal) {
  if (const auto ended = ended_.find(signal.snapshot.id); ended != ended_.end()) {
    return say(signal.snapshot, ended->second.state, ended->second.text);
  }
  if (signal.kind == SnapshotSignal::Kind::kStart) return accept(signal.snapshot);
  steer(signal);
}

void IncrementalDesk::steer(const SnapshotSignal& signal) {
  const bool cancels = signal.kind == SnapshotSignal::Kind::kCancel;
  const bool pauses = signal.kind == SnapshotSignal::Kind::kPause;
  const char* state = cancels ? "cancelled" : (pauses ? "paused" : "resumed");
  std::vector<IncrementalSnapshot> steered;
  {
    const std::lock_guard lock(mutex_);
    for (IncrementalSnapshot& snapshot : snapshots_) {
      steered.push_back(snapshot);
      snapshot.is_paused = pauses;
    }
    if (cancels) snapshots_.clear();
    if (cancels) set_aside_.clear();
    has_news_ = true;
  }
  news_.notify();
  std::string told;
  for (const IncrementalSnapshot& snapshot : steered) {
    if (cancels) ended_[snapshot.id] = {state, "on request"};
    logger_.info("incremental snapshot {}: {}", snapshot.id, state);
    say(snapshot, state, "on request");
    told += (told.empty() ? "" : ", ") + snapshot.id;
  }
  if (steered.empty()) return tell_end(signal.snapshot, "idle", "no incremental snapshot is under way");
  tell_end(signal.snapshot, state, told);
}

Status IncrementalDesk::check_tables(const IncrementalSnapshot& asked) {
  const std::span<const TableName> tables(asked.tables);
  for (std::size_t at = 0; at < tables.size(); at += IncrementalReader::kPlannedMost) {
    const auto plans =
        reader_.plan(tables.subspan(at, std::min(tables.size() - at, IncrementalReader::kPlannedMost)), asked.where);
    if (!plans.is_ok()) return plans.status();
    const auto refused = std::find_if(plans->begin(), plans->end(), [](const auto& plan) { return !plan.is_ok(); });
    if (refused != plans->end()) return refused->status();
  }
  return Status::ok();
}

// All tables at once: who asks learns of a wrong one before a row is read.
void IncrementalDesk::accept(const IncrementalSnapshot& asked) {
  std::size_t before = 0;
  bool is_known = false;
  {
    const std::lock_guard lock(mutex_);
    before = snapshots_.size();
    for (const IncrementalSnapshot& known : snapshots_) is_known = is_known || known.id == asked.id;
  }
  // A walcat that has died may have accepted it without a word.
  if (is_known) return say(asked, "accepted", "it is under way");
  Status fit = check_tables(asked);
  if (fit.is_transient()) {
    // The connection may have been cut in the middle.
    reader_.disconnect();
    fit = check_tables(asked);
  }
  if (!fit.is_ok()) {
    logger_.error("incremental snapshot {} refused: {}", asked.id, fit.message());
    // What may heal is asked again.
    if (fit.is_transient()) return say(asked, "refused", fit.message());
    return tell_end(asked, "refused", fit.message());
  }
  {
    const std::lock_guard lock(mutex_);
    snapshots_.push_back(asked);
    has_news_ = true;
  }
  news_.notify();
  const std::string behind = before > 0 ? fmt::format(", behind {} others", before) : "";
  say(asked, "accepted", fmt::format("{} tables{}", asked.tables.size(), behind));
}

}  // namespace walcat
