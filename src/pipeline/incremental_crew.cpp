#include "incremental_crew.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "walcat/base/log.h"

namespace walcat {

namespace {

constexpr std::size_t kFirstRows = 1'024;
constexpr std::size_t kMissedAtOnce = 500;
// Chunks in a row of which nothing could be said.
constexpr std::size_t kAttemptsMost = 100;
constexpr std::chrono::milliseconds kRetry{1'000};
constexpr std::chrono::milliseconds kPassageInterval{1};
constexpr std::chrono::milliseconds kShortestWait{1};
constexpr std::chrono::milliseconds kLongestWait{200};
constexpr std::chrono::seconds kLogInterval{10};
constexpr std::chrono::seconds kNewsInterval{1};

// Marks of an earlier run, or of another walcat on the same slot, must not be taken for ours.
std::string random_name() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

}  // namespace

IncrementalCrew::IncrementalCrew(const DatabaseOptions& options, const Selection& selection, SnapshotWindow& window,
                                 const WakeFd& news, const log::Logger& logger)
    : options_(options),
      selection_(selection),
      window_(window),
      news_(news),
      logger_(logger),
      reader_(options, selection, stop_, logger),
      run_(random_name()) {}

IncrementalCrew::~IncrementalCrew() { dismiss(); }

void IncrementalCrew::resume(const std::vector<IncrementalSnapshot>& snapshots) {
  if (snapshots.empty()) return;
  const std::lock_guard lock(mutex_);
  snapshots_.insert(snapshots_.end(), snapshots.begin(), snapshots.end());
  start_worker();
}

void IncrementalCrew::obey(const SnapshotSignal& signal) {
  const std::lock_guard lock(mutex_);
  const auto is_known = [&](const IncrementalSnapshot& known) { return known.id == signal.snapshot.id; };
  switch (signal.kind) {
    case SnapshotSignal::Kind::kStart:
      // After a reconnect the stream may bring a message once more.
      if (std::any_of(snapshots_.begin(), snapshots_.end(), is_known)) return;
      if (std::find(ended_.begin(), ended_.end(), signal.snapshot.id) != ended_.end()) return;
      snapshots_.push_back(signal.snapshot);
      break;
    case SnapshotSignal::Kind::kPause:
    case SnapshotSignal::Kind::kResume: {
      const bool pauses = signal.kind == SnapshotSignal::Kind::kPause;
      for (IncrementalSnapshot& snapshot : snapshots_) {
        snapshot.is_paused = pauses;
        answers_.emplace_back(snapshot.id, pauses ? "paused" : "resumed");
      }
      break;
    }
    case SnapshotSignal::Kind::kCancel:
      for (const IncrementalSnapshot& snapshot : snapshots_) {
        answers_.emplace_back(snapshot.id, "cancelled");
        ended_.push_back(snapshot.id);
      }
      snapshots_.clear();
      break;
    case SnapshotSignal::Kind::kMark: return;
  }
  if (signal.kind != SnapshotSignal::Kind::kStart && answers_.empty()) answers_.emplace_back("", "idle");
  snapshots_changed_ = true;
  start_worker();
}

void IncrementalCrew::start_worker() {
  changed_.notify_all();
  if (worker_.joinable() || stopping_) return;
  worker_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "incremental");
    try {
      work();
    } catch (const std::exception& error) {
      logger_.error("incremental snapshots end here: {}", error.what());
      window_.forget();
    }
  });
}

bool IncrementalCrew::wants_batch() const {
  const std::lock_guard lock(mutex_);
  return wants_batch_ && free_ == nullptr;
}

bool IncrementalCrew::wants_passage() const {
  const std::lock_guard lock(mutex_);
  return wants_passage_ && !window_.is_following();
}

void IncrementalCrew::give(std::unique_ptr<Batch> batch) {
  const std::lock_guard lock(mutex_);
  free_ = std::move(batch);
  changed_.notify_all();
}

std::unique_ptr<Batch> IncrementalCrew::take_chunk(const SnapshotSignal& mark) {
  const std::lock_guard lock(mutex_);
  if (!held_ || held_->mark != mark.mark) return nullptr;
  auto batch = std::move(held_->batch);
  held_.reset();
  batch->chunk_commit_lsn = mark.commit_lsn;
  batch->chunk_commit_time = mark.commit_time;
  return batch;
}

std::shared_ptr<const std::vector<IncrementalSnapshot>> IncrementalCrew::take_news() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(snapshots_changed_, false)) return nullptr;
  return std::make_shared<const std::vector<IncrementalSnapshot>>(snapshots_);
}

std::vector<std::unique_ptr<Batch>> IncrementalCrew::dismiss() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.request();
  window_.abandon();
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
  std::vector<std::unique_ptr<Batch>> batches;
  if (held_) batches.push_back(std::move(held_->batch));
  held_.reset();
  for (auto* batch : {&free_, &batch_}) {
    if (*batch != nullptr) batches.push_back(std::move(*batch));
  }
  return batches;
}

void IncrementalCrew::work() {
  while (wait_for_snapshot()) {
    IncrementalSnapshot snapshot;
    {
      const std::lock_guard lock(mutex_);
      if (snapshots_.empty()) continue;
      snapshot = snapshots_.front();
    }
    const Status status = read_snapshot(snapshot);
    window_.forget();
    if (batch_ != nullptr) batch_->clear();
    if (stop_.requested()) return;
    if (status.code() == StatusCode::kUnavailable) {
      logger_.warning("incremental snapshot {}: {}; going on in {:.1f} s", snapshot.id, status.message(),
                      static_cast<double>(kRetry.count()) / 1000);
      reader_.disconnect();
      if (!sleep(kRetry)) return;
      continue;
    }
    finish(snapshot.id, status);
  }
}

// Between snapshots there is nothing to hold a connection for.
bool IncrementalCrew::wait_for_snapshot() {
  for (;;) {
    answer();
    std::unique_lock lock(mutex_);
    if (stopping_ || !snapshots_.empty()) return !stopping_;
    if (!answers_.empty()) continue;
    reader_.disconnect();
    changed_.wait(lock, [&] { return stopping_ || !snapshots_.empty() || !answers_.empty(); });
  }
}

Status IncrementalCrew::read_snapshot(IncrementalSnapshot& snapshot) {
  if (Status connected = reader_.connect(); !connected.is_ok()) return connected;
  tally_ = Tally{};
  tally_.began = Clock::now();
  tally_.next_log = tally_.began + kLogInterval;
  tally_.next_news = tally_.began + kNewsInterval;
  if (Status fit = check_tables(snapshot); !fit.is_ok()) return fit;
  if (snapshot.tables.empty()) return Status::ok();
  logger_.info("incremental snapshot {}: {} tables, about {:.0f} rows{}", snapshot.id, snapshot.tables.size(),
               tally_.expected, snapshot.last_key.empty() ? "" : ", going on where it was left");
  reader_.tell(snapshot.id, "accepted",
               fmt::format("{} tables, about {:.0f} rows", snapshot.tables.size(), tally_.expected));
  if (Status following = begin_following(); !following.is_ok()) return following;
  while (!snapshot.tables.empty()) {
    if (Status read = read_table(snapshot); !read.is_ok()) return read;
    snapshot.tables.erase(snapshot.tables.begin());
    snapshot.part = TableName{};
    snapshot.last_key.clear();
    if (Status stored = store(snapshot); !stored.is_ok()) return stored;
  }
  return Status::ok();
}

// All tables before the first row: who asks learns of a wrong one at once. Tables that came into the configuration are
// nobody's question; there it is a warning.
Status IncrementalCrew::check_tables(IncrementalSnapshot& snapshot) {
  std::vector<TableName> fit;
  for (const TableName& table : snapshot.tables) {
    const auto parts = reader_.plan(table);
    if (parts.is_ok()) {
      fit.push_back(table);
      for (const KeyedPart& part : *parts) tally_.expected += std::max(part.rows, 0.0);
      continue;
    }
    if (parts.status().code() != StatusCode::kRefused || !snapshot.is_added) return parts.status();
    logger_.warning("rows that table {} had before are not printed: {}; hint: walcat snapshot --dump prints them",
                    table.to_string(), parts.status().message());
  }
  if (fit.size() == snapshot.tables.size()) return Status::ok();
  snapshot.tables = std::move(fit);
  return store(snapshot);
}

// From some moment on the decoder remembers which transactions came by. Those that began before it must have ended
// before a chunk is read: whether they came by, nobody knows.
Status IncrementalCrew::begin_following() {
  window_.follow();
  {
    const std::lock_guard lock(mutex_);
    wants_passage_ = true;
  }
  news_.notify();
  while (!window_.is_following()) {
    if (!sleep(kPassageInterval)) return stopped();
  }
  {
    const std::lock_guard lock(mutex_);
    wants_passage_ = false;
  }
  const auto next = reader_.next_transaction();
  if (!next.is_ok()) return next.status();
  window_.begin_at(*next);
  return Status::ok();
}

Status IncrementalCrew::read_table(IncrementalSnapshot& snapshot) {
  for (bool is_read = false; !is_read;) {
    const auto parts = reader_.plan(snapshot.tables.front());
    if (!parts.is_ok()) return parts.status();
    const auto in_hand =
        std::find_if(parts->begin(), parts->end(), [&](const KeyedPart& part) { return part.part == snapshot.part; });
    is_read = true;
    for (auto part = in_hand == parts->end() ? parts->begin() : in_hand; part != parts->end() && is_read; ++part) {
      if (part->part != snapshot.part) {
        snapshot.part = part->part;
        snapshot.last_key.clear();
      }
      const auto read = read_part(*part, snapshot);
      if (!read.is_ok()) return read.status();
      is_read = *read;
    }
  }
  return Status::ok();
}

// Whether it was read to its end; if not, its columns have changed.
Result<bool> IncrementalCrew::read_part(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  window_.watch({part.source->relation.oid, part.key_columns});
  const auto last = reader_.largest_key(part, snapshot.where);
  if (!last.is_ok()) return last.status();
  if (!*last) return true;
  reading_ = Reading{};
  reading_.after = snapshot.last_key;
  reading_.last = **last;
  reading_.rows_most = kFirstRows;
  reading_.missed_most = kMissedAtOnce;
  for (;;) {
    if (Status go_on = check_in(snapshot); !go_on.is_ok()) return go_on;
    if (reading_.at_end && reading_.missed.empty()) return true;
    if (Status read = read_chunk(part, snapshot); !read.is_ok()) return read.with_context(part.part.to_string());
    if (reading_.has_changed_shape) return false;
    report(snapshot);
    if (Status in_time = keep_rate(snapshot); !in_time.is_ok()) return in_time;
  }
}

Status IncrementalCrew::read_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  if (batch_ == nullptr) batch_ = wait_for_batch();
  if (batch_ == nullptr) return stopped();
  window_.open(++chunk_);
  const auto moment = reader_.begin_chunk(part);
  if (!moment.is_ok()) return moment.status();
  reading_.has_changed_shape = moment->shape != part.shape;
  const bool is_blind = !reading_.has_changed_shape && window_.is_blind(moment->visible);
  if (!reading_.has_changed_shape && !is_blind) {
    if (Status copied = copy_chunk(part, snapshot); !copied.is_ok()) return copied;
  }
  if (Status ended = reader_.end_chunk(); !ended.is_ok()) return ended;
  if (is_blind) return wait_for_sight();
  if (batch_->has_frames()) return insert_chunk(part, snapshot);
  window_.close();
  if (reading_.has_changed_shape) return Status::ok();
  // Rows that are not there any more, or none that are left.
  reading_.missed.erase(reading_.missed.begin(), reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
  if (reading_.asked == 0) reading_.at_end = true;
  return Status::ok();
}

// A transaction that came by does not show yet: it commits this moment, or waits for a synchronous standby. Or one that
// began before us is still open.
Status IncrementalCrew::wait_for_sight() {
  window_.close();
  const auto wait = std::min(kShortestWait * (1 << std::min<std::size_t>(reading_.attempts, 8)), kLongestWait);
  constexpr std::size_t kNoticed = 12;
  if (++reading_.attempts == kNoticed) {
    logger_.info("incremental snapshot: waiting for transactions that are open on the server");
  }
  return sleep(wait) ? Status::ok() : stopped();
}

Status IncrementalCrew::copy_chunk(const KeyedPart& part, const IncrementalSnapshot& snapshot) {
  reading_.asked = std::min(reading_.missed.size(), reading_.missed_most);
  if (reading_.asked > 0) {
    const std::vector<Key> keys(reading_.missed.begin(),
                                reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
    const auto all = reader_.read(part, snapshot.where, keys, *batch_);
    if (!all.is_ok()) return all.status();
    if (*all) return Status::ok();
    // Too many for one batch: nothing of it, and fewer at once. A single row always fits.
    reading_.missed_most = std::max<std::size_t>(reading_.asked / 2, 1);
    reading_.asked = 0;
    batch_->clear();
    return copy_chunk(part, snapshot);
  }
  std::size_t rows_most = std::min(reading_.rows_most, batch_->rows_most());
  if (snapshot.rows_per_second > 0) {
    rows_most = std::min<std::size_t>(rows_most, std::max<std::uint64_t>(snapshot.rows_per_second / 4, 1));
  }
  const auto ended = reader_.read(part, snapshot.where, {reading_.after, reading_.last, rows_most}, *batch_);
  if (!ended.is_ok()) return ended.status();
  reading_.chunk_ends_part = *ended;
  const std::size_t rows = batch_->frame_count();
  if (rows == 0) return Status::ok();
  // As many as fill a batch most of the way.
  const std::size_t fit = (batch_->frames_size() + batch_->frame_room().size()) / (batch_->frames_size() / rows + 1);
  reading_.rows_most = rows < rows_most && !*ended ? rows : std::clamp<std::size_t>(fit * 9 / 10, 1, 2 * rows_most);
  return Status::ok();
}

Status IncrementalCrew::insert_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  reading_.chunk_last = window_.hold(*batch_, part.source->relation);
  batch_->snapshot = part.source;
  batch_->chunk = chunk_;
  const std::string mark = fmt::format("{}.{}", run_, chunk_);
  {
    const std::lock_guard lock(mutex_);
    held_ = Held{std::move(batch_), mark};
  }
  Status marked = reader_.mark(mark);
  if (!marked.is_ok()) {
    const std::lock_guard lock(mutex_);
    if (held_) {
      batch_ = std::move(held_->batch);
      held_.reset();
      batch_->clear();
      return marked;
    }
  }
  const auto verdict = window_.wait_for_verdict();
  if (!verdict) return stopped();
  return marked.is_ok() ? settle_chunk(*verdict, snapshot) : marked;
}

Status IncrementalCrew::settle_chunk(const SnapshotWindow::Verdict& verdict, IncrementalSnapshot& snapshot) {
  if (verdict.again) {
    if (++reading_.attempts < kAttemptsMost) return sleep(kShortestWait) ? Status::ok() : stopped();
    return {StatusCode::kRefused, "the stream's changes do not tell which rows they touch: their key is not in them"};
  }
  reading_.attempts = 0;
  tally_.printed += verdict.printed;
  tally_.left_out += verdict.left_out;
  tally_.read += verdict.printed + verdict.left_out;
  if (reading_.asked > 0) {
    reading_.missed.erase(reading_.missed.begin(),
                          reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
  } else {
    reading_.after = reading_.chunk_last;
    reading_.at_end = reading_.chunk_ends_part;
  }
  collect_missed();
  if (!reading_.missed.empty()) return Status::ok();
  snapshot.last_key = reading_.after;
  return store(snapshot);
}

void IncrementalCrew::collect_missed() {
  auto missed = window_.take_missed();
  if (missed) {
    std::move(missed->begin(), missed->end(), std::back_inserter(reading_.missed));
    return;
  }
  logger_.warning("incremental snapshot: too many keys change; beginning the table anew");
  reading_.missed.clear();
  reading_.after.clear();
  reading_.at_end = false;
}

// Kept with the next batch that is written. kStopped if nobody wants it any more.
Status IncrementalCrew::store(IncrementalSnapshot& snapshot) {
  const std::lock_guard lock(mutex_);
  if (snapshots_.empty() || snapshots_.front().id != snapshot.id) return stopped();
  snapshot.is_paused = snapshots_.front().is_paused;
  snapshots_.front() = snapshot;
  snapshots_changed_ = true;
  return Status::ok();
}

// Hears what is asked meanwhile, and waits while the snapshot is paused.
Status IncrementalCrew::check_in(const IncrementalSnapshot& snapshot) {
  for (;;) {
    answer();
    std::unique_lock lock(mutex_);
    if (stopping_ || snapshots_.empty() || snapshots_.front().id != snapshot.id) return stopped();
    if (!answers_.empty()) continue;
    if (!snapshots_.front().is_paused) return Status::ok();
    changed_.wait(
        lock, [&] { return stopping_ || !answers_.empty() || snapshots_.empty() || !snapshots_.front().is_paused; });
  }
}

Status IncrementalCrew::keep_rate(const IncrementalSnapshot& snapshot) {
  if (snapshot.rows_per_second == 0) return Status::ok();
  const std::chrono::duration<double> due(static_cast<double>(tally_.read) /
                                          static_cast<double>(snapshot.rows_per_second));
  const auto early = std::chrono::duration_cast<std::chrono::milliseconds>(tally_.began + due - Clock::now());
  return early.count() <= 0 || sleep(early) ? Status::ok() : stopped();
}

void IncrementalCrew::report(const IncrementalSnapshot& snapshot) {
  const auto now = Clock::now();
  if (now < tally_.next_news) return;
  tally_.next_news = now + kNewsInterval;
  const std::chrono::duration<double> seconds = now - tally_.began;
  const std::string text =
      fmt::format("{}: {} rows of about {:.0f}, {:.0f} rows/s", snapshot.part.to_string(), tally_.read, tally_.expected,
                  static_cast<double>(tally_.read) / seconds.count());
  reader_.tell(snapshot.id, "progress", text);
  log::show_status(logger_.database(), text);
  if (now < tally_.next_log) return;
  tally_.next_log = now + kLogInterval;
  logger_.info("incremental snapshot {}: {}", snapshot.id, text);
}

void IncrementalCrew::finish(const std::string& id, const Status& status) {
  log::show_status(logger_.database(), "");
  {
    const std::lock_guard lock(mutex_);
    if (snapshots_.empty() || snapshots_.front().id != id) {
      logger_.info("incremental snapshot {}: cancelled after {} rows", id, tally_.printed);
      return;
    }
    snapshots_.erase(snapshots_.begin());
    ended_.push_back(id);
    snapshots_changed_ = true;
  }
  news_.notify();
  if (!status.is_ok()) {
    logger_.error("incremental snapshot {} refused: {}", id, status.message());
    // The connection may be in a transaction that has failed.
    reader_.disconnect();
    if (reader_.connect().is_ok()) reader_.tell(id, "refused", status.message());
    return;
  }
  const std::chrono::duration<double> seconds = Clock::now() - tally_.began;
  const std::string text = fmt::format("{} rows in {:.1f} s; the stream brought {} others meanwhile", tally_.printed,
                                       seconds.count(), tally_.left_out);
  logger_.info("incremental snapshot {} complete: {}", id, text);
  reader_.tell(id, "complete", text);
}

void IncrementalCrew::answer() {
  std::vector<std::pair<std::string, std::string>> answers;
  {
    const std::lock_guard lock(mutex_);
    answers = std::exchange(answers_, {});
  }
  if (answers.empty()) return;
  if (const Status connected = reader_.connect(); !connected.is_ok()) {
    logger_.warning("incremental snapshot: {}", connected.message());
    return;
  }
  for (const auto& [id, state] : answers) {
    logger_.info("incremental snapshot {}: {}", id, state);
    reader_.tell(id, state, id.empty() ? "no incremental snapshot is under way" : id);
  }
}

// Whether the time was slept through.
bool IncrementalCrew::sleep(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, time, [&] { return stopping_; });
}

std::unique_ptr<Batch> IncrementalCrew::wait_for_batch() {
  std::unique_lock lock(mutex_);
  if (free_ == nullptr) {
    wants_batch_ = true;
    news_.notify();
    changed_.wait(lock, [&] { return stopping_ || free_ != nullptr; });
    wants_batch_ = false;
  }
  return std::move(free_);
}

}  // namespace walcat
