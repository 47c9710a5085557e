#include "incremental_crew.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <random>
#include <utility>

#include "walcat/base/log.h"
#include "walcat/base/utf8.h"

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

std::vector<std::string> key_of(const KeyedPart& part) {
  std::vector<std::string> key;
  for (std::size_t i = 0; i < part.key_columns.size(); ++i) {
    key.push_back(part.key_columns[i] + " " + part.key_types[i]);
  }
  return key;
}

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

}  // namespace

IncrementalCrew::IncrementalCrew(const DatabaseOptions& options, const Selection& selection, SnapshotWindow& window,
                                 const WakeFd& news, const log::Logger& logger)
    : window_(window), news_(news), logger_(logger), reader_(options, selection, stop_, logger), run_(random_name()) {}

IncrementalCrew::~IncrementalCrew() { dismiss(); }

void IncrementalCrew::resume(const std::vector<IncrementalSnapshot>& snapshots) {
  if (snapshots.empty()) return;
  const std::lock_guard lock(mutex_);
  snapshots_.insert(snapshots_.end(), snapshots.begin(), snapshots.end());
  start_worker();
}

// After a reconnect the stream may bring messages once more.
void IncrementalCrew::hear(const std::vector<SnapshotSignal>& signals) {
  const Lsn heard = heard_;
  const std::lock_guard lock(mutex_);
  for (const SnapshotSignal& signal : signals) {
    heard_ = std::max(heard_, signal.commit_lsn);
    if (signal.kind == SnapshotSignal::Kind::kMark || signal.commit_lsn <= heard) continue;
    asked_.push_back(signal);
  }
  if (!asked_.empty()) start_worker();
}

bool IncrementalCrew::is_busy() const {
  const std::lock_guard lock(mutex_);
  const auto is_paused = [](const IncrementalSnapshot& snapshot) { return snapshot.is_paused; };
  return !std::all_of(snapshots_.begin(), snapshots_.end(), is_paused);
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
    if (status.is_transient()) {
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
    if (!asked_.empty()) continue;
    reader_.disconnect();
    changed_.wait(lock, [&] { return stopping_ || !snapshots_.empty() || !asked_.empty(); });
  }
}

// Whoever asked asks again if nothing is heard of it.
void IncrementalCrew::answer() {
  for (;;) {
    SnapshotSignal signal;
    {
      const std::lock_guard lock(mutex_);
      if (asked_.empty() || stopping_) return;
      signal = std::move(asked_.front());
      asked_.pop_front();
    }
    const std::string& id = signal.snapshot.id;
    Status ready = reader_.connect();
    auto by_right = ready.is_ok() ? reader_.is_asked_by_right(id) : Result<bool>(ready);
    if (by_right.status().is_transient()) {
      // An idle connection may have been cut.
      reader_.disconnect();
      ready = reader_.connect();
      by_right = ready.is_ok() ? reader_.is_asked_by_right(id) : Result<bool>(ready);
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

void IncrementalCrew::obey(const SnapshotSignal& signal) {
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
    snapshots_changed_ = true;
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
void IncrementalCrew::accept(const IncrementalSnapshot& asked) {
  if (const auto ended = ended_.find(asked.id); ended != ended_.end()) {
    return reader_.tell(asked.id, ended->second.first, ended->second.second);
  }
  std::size_t before = 0;
  {
    const std::lock_guard lock(mutex_);
    before = snapshots_.size();
    for (const IncrementalSnapshot& known : snapshots_) {
      if (known.id == asked.id) return;
    }
  }
  for (const TableName& table : asked.tables) {
    const auto parts = reader_.plan(table, asked.where);
    if (parts.is_ok()) continue;
    const Status& why = parts.status();
    logger_.error("incremental snapshot {} refused: {}", asked.id, why.message());
    if (!why.is_transient()) ended_[asked.id] = {"refused", why.message()};
    return reader_.tell(asked.id, "refused", why.message());
  }
  {
    const std::lock_guard lock(mutex_);
    snapshots_.push_back(asked);
    snapshots_changed_ = true;
  }
  news_.notify();
  const std::string behind = before > 0 ? fmt::format(", behind {} others", before) : "";
  reader_.tell(asked.id, "accepted", fmt::format("{} tables{}", asked.tables.size(), behind));
}

Status IncrementalCrew::read_snapshot(IncrementalSnapshot& snapshot) {
  if (Status connected = reader_.connect(); !connected.is_ok()) return connected;
  tally_ = Tally{};
  tally_.began = Clock::now();
  tally_.next_log = tally_.began + kLogInterval;
  tally_.next_news = tally_.began + kNewsInterval;
  if (Status fit = check_tables(snapshot); !fit.is_ok()) return fit;
  logger_.info("incremental snapshot {}: {} tables, {} rows{}", snapshot.id, snapshot.tables.size(), expected_rows(),
               snapshot.last_key.empty() ? "" : ", going on where it was left");
  if (Status following = begin_following(); !following.is_ok()) return following;
  while (!snapshot.tables.empty()) {
    if (Status read = read_table(snapshot); !read.is_ok()) return read;
    snapshot.tables.erase(snapshot.tables.begin());
    snapshot.part = TableName{};
    snapshot.last_key.clear();
    if (Status stored = store(snapshot); !stored.is_ok()) return stored;
  }
  return tally_.gone.empty() ? Status::ok() : Status(StatusCode::kRefused, tally_.gone + "; the rest was read");
}

std::string IncrementalCrew::expected_rows() const {
  return tally_.expected < 0 ? "an unknown number of" : fmt::format("about {:.0f}", tally_.expected);
}

// Tables that came into the configuration are nobody's question: there a refusal is a warning.
Status IncrementalCrew::check_tables(IncrementalSnapshot& snapshot) {
  std::vector<TableName> fit;
  for (const TableName& table : snapshot.tables) {
    const auto parts = reader_.plan(table, snapshot.where);
    if (parts.is_ok()) {
      fit.push_back(table);
      for (const KeyedPart& part : *parts) {
        tally_.expected = part.rows < 0 || tally_.expected < 0 ? -1 : tally_.expected + part.rows;
      }
      continue;
    }
    if (parts.status().code() != StatusCode::kRefused) return parts.status();
    if (snapshot.is_added) {
      logger_.warning("rows that table {} had before are not printed: {}; hint: walcat snapshot --dump prints them",
                      table.to_string(), parts.status().message());
    } else {
      pass_over(parts.status());
    }
  }
  if (fit.size() == snapshot.tables.size()) return Status::ok();
  snapshot.tables = std::move(fit);
  return store(snapshot);
}

// It was fit when the snapshot was accepted.
void IncrementalCrew::pass_over(const Status& status) {
  logger_.warning("incremental snapshot: {}; passing it over", status.message());
  tally_.gone += (tally_.gone.empty() ? "" : "; ") + status.message();
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
    const auto parts = reader_.plan(snapshot.tables.front(), snapshot.where);
    if (parts.status().code() == StatusCode::kRefused) {
      pass_over(parts.status());
      return Status::ok();
    }
    if (!parts.is_ok()) return parts.status();
    // A leaf that is gone was read, or has no rows any more; those before it were read.
    const auto in_hand =
        std::find_if(parts->begin(), parts->end(), [&](const KeyedPart& part) { return part.part >= snapshot.part; });
    is_read = true;
    for (auto part = in_hand; part != parts->end() && is_read; ++part) {
      if (part->part != snapshot.part || key_of(*part) != snapshot.key) {
        snapshot.part = part->part;
        snapshot.key = key_of(*part);
        snapshot.last_key.clear();
      }
      const auto read = read_part(*part, snapshot);
      if (!read.is_ok()) return read.status().with_context("table " + part->part.to_string());
      is_read = *read;
    }
  }
  return Status::ok();
}

// Whether it was read to its end; if not, its columns have changed.
//
// Where it goes on in the middle, rows may have moved from what is left to what was read while nobody was watching, and
// the stream may have left out their large values: so first the rows are read that were written since, among those
// that were read.
Result<bool> IncrementalCrew::read_part(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  window_.watch({part.source->relation.oid, part.key_columns});
  const auto run = [&](const Key& after, const Key& last, const std::string& where, bool is_repair) {
    reading_ = Reading{};
    reading_.after = after;
    reading_.last = last;
    reading_.where = where;
    reading_.is_repair = is_repair;
    reading_.rows_most = kFirstRows;
    reading_.missed_most = kMissedAtOnce;
    return read_pass(part, snapshot);
  };
  if (!snapshot.last_key.empty() && part.may_miss_values) {
    const auto seen = static_cast<std::uint32_t>(snapshot.seen_xid);
    std::string since = fmt::format("age(xmin) BETWEEN 0 AND age('{}'::xid)", seen);
    if (!snapshot.where.empty()) since = fmt::format("({}) AND {}", snapshot.where, since);
    const auto repaired = run({}, snapshot.last_key, since, true);
    if (!repaired.is_ok() || !*repaired) return repaired;
  }
  return run(snapshot.last_key, {}, snapshot.where, false);
}

Result<bool> IncrementalCrew::read_pass(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  for (;;) {
    if (Status go_on = check_in(snapshot); !go_on.is_ok()) return go_on;
    if (reading_.at_end && reading_.missed.empty()) return true;
    if (Status read = read_chunk(part, snapshot); !read.is_ok()) return read;
    if (reading_.has_changed_shape) return false;
    report(snapshot);
    if (Status in_time = keep_rate(snapshot); !in_time.is_ok()) return in_time;
  }
}

Status IncrementalCrew::read_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  if (batch_ == nullptr) batch_ = wait_for_batch();
  if (batch_ == nullptr) return stopped();
  batch_->clear();
  window_.open(++chunk_);
  const auto moment = reader_.begin_chunk(part);
  if (!moment.is_ok()) return moment.status();
  reading_.has_changed_shape = !*moment || (*moment)->shape != part.shape;
  if (reading_.has_changed_shape) {
    window_.close();
    return reader_.end_chunk();
  }
  reading_.visible = (*moment)->visible;
  if (window_.is_blind(reading_.visible)) {
    if (Status ended = reader_.end_chunk(); !ended.is_ok()) return ended;
    return wait_for_sight();
  }
  reading_.blind = 0;
  if (Status copied = copy_chunk(part, snapshot); !copied.is_ok()) return copied;
  if (Status ended = reader_.end_chunk(); !ended.is_ok()) return ended;
  return insert_chunk(part, snapshot);
}

// A transaction that came by does not show yet: it commits this moment, or waits for a synchronous standby. Or one that
// began before us is still open.
Status IncrementalCrew::wait_for_sight() {
  window_.close();
  const auto wait = std::min(kShortestWait * (1 << std::min<std::size_t>(reading_.blind, 8)), kLongestWait);
  constexpr std::size_t kNoticed = 12;
  if (++reading_.blind == kNoticed) {
    logger_.info("incremental snapshot: waiting for transactions that are open on the server");
  }
  return sleep(wait) ? Status::ok() : stopped();
}

Status IncrementalCrew::copy_chunk(const KeyedPart& part, const IncrementalSnapshot& snapshot) {
  if (reading_.last.empty()) {
    // Not before: what is above it was written by transactions that come by.
    const auto last = reader_.largest_key(part, reading_.where);
    if (!last.is_ok()) return last.status();
    reading_.at_end = !*last;
    reading_.last = last->value_or(Key{});
  }
  reading_.asked = std::min(reading_.missed.size(), reading_.missed_most);
  if (reading_.asked > 0) return copy_missed(part, snapshot);
  reading_.chunk_ends_part = true;
  if (reading_.at_end) return Status::ok();
  std::size_t rows_most = std::min(reading_.rows_most, batch_->rows_most());
  if (snapshot.rows_per_second > 0) {
    rows_most = std::min<std::size_t>(rows_most, std::max<std::uint64_t>(snapshot.rows_per_second / 4, 1));
  }
  const auto ended = reader_.read(part, reading_.where, {reading_.after, reading_.last, rows_most}, *batch_);
  if (!ended.is_ok()) return ended.status();
  reading_.chunk_ends_part = *ended;
  const std::size_t rows = batch_->frame_count();
  if (rows == 0) return Status::ok();
  // As many as fill a batch most of the way.
  const std::size_t fit = (batch_->frames_size() + batch_->frame_room().size()) / (batch_->frames_size() / rows + 1);
  reading_.rows_most = rows < rows_most && !*ended ? rows : std::clamp<std::size_t>(fit * 9 / 10, 1, 2 * rows_most);
  return Status::ok();
}

Status IncrementalCrew::copy_missed(const KeyedPart& part, const IncrementalSnapshot& snapshot) {
  for (;;) {
    const std::vector<Key> keys(reading_.missed.begin(),
                                reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
    const auto all = reader_.read(part, snapshot.where, keys, *batch_);
    if (!all.is_ok()) return all.status();
    if (*all) return Status::ok();
    // Too many for one batch: nothing of it, and fewer at once. A single row always fits.
    reading_.asked = reading_.missed_most = std::max<std::size_t>(reading_.asked / 2, 1);
    batch_->clear();
  }
}

// Without rows too: when the mark has come by, so have all changes that the chunk's snapshot sees.
Status IncrementalCrew::insert_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  reading_.chunk_last = window_.hold(*batch_, part.source->relation, reading_.visible);
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
      return marked;
    }
  }
  const auto verdict = window_.wait_for_verdict();
  if (!verdict) return stopped();
  return marked.is_ok() ? settle_chunk(*verdict, snapshot) : marked;
}

Status IncrementalCrew::settle_chunk(const SnapshotWindow::Verdict& verdict, IncrementalSnapshot& snapshot) {
  if (verdict.again) {
    if (++reading_.unclear < kAttemptsMost) return sleep(kShortestWait) ? Status::ok() : stopped();
    return {StatusCode::kRefused, "the stream's changes do not tell which rows they touch: their key is not in them"};
  }
  reading_.unclear = 0;
  tally_.printed += verdict.printed;
  tally_.left_out += verdict.left_out;
  tally_.read += verdict.printed + verdict.left_out;
  if (reading_.asked > 0) {
    reading_.missed.erase(reading_.missed.begin(),
                          reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
    reading_.fruitless = verdict.printed > 0 || verdict.left_out == 0 ? 0 : reading_.fruitless + 1;
  } else {
    if (verdict.printed + verdict.left_out > 0) reading_.after = reading_.chunk_last;
    reading_.at_end = reading_.chunk_ends_part;
  }
  collect_missed();
  give_up_restless_rows();
  if (!reading_.missed.empty() || reading_.is_repair || reading_.after.empty()) return Status::ok();
  // A key that is no UTF-8 cannot stand in the offset file.
  const auto is_printable = [](const std::string& text) { return with_replacements(text) == text; };
  if (!std::all_of(reading_.after.begin(), reading_.after.end(), is_printable)) return Status::ok();
  snapshot.last_key = reading_.after;
  snapshot.seen_xid = reading_.visible.xmin;
  return store(snapshot);
}

// Rows that change in every window never come to be read whole.
void IncrementalCrew::give_up_restless_rows() {
  if (reading_.fruitless < kAttemptsMost) return;
  logger_.warning(
      "incremental snapshot: {} rows change all the time; the large values that their changes leave out are "
      "not printed",
      reading_.missed.size());
  reading_.missed.clear();
  reading_.fruitless = 0;
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
  reading_.last.clear();
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
    if (!asked_.empty()) continue;
    if (!snapshots_.front().is_paused) return Status::ok();
    changed_.wait(lock,
                  [&] { return stopping_ || !asked_.empty() || snapshots_.empty() || !snapshots_.front().is_paused; });
  }
}

// What was not read while it was paused is not made up for.
Status IncrementalCrew::keep_rate(const IncrementalSnapshot& snapshot) {
  if (snapshot.rows_per_second == 0) return Status::ok();
  const std::chrono::duration<double> worth(static_cast<double>(tally_.read - tally_.read_before) /
                                            static_cast<double>(snapshot.rows_per_second));
  tally_.read_before = tally_.read;
  tally_.next_chunk = std::max(tally_.next_chunk, Clock::now()) + std::chrono::duration_cast<Clock::duration>(worth);
  while (Clock::now() < tally_.next_chunk) {
    if (Status go_on = check_in(snapshot); !go_on.is_ok()) return go_on;
    std::unique_lock lock(mutex_);
    changed_.wait_until(lock, tally_.next_chunk, [&] { return stopping_ || !asked_.empty(); });
  }
  return Status::ok();
}

void IncrementalCrew::report(const IncrementalSnapshot& snapshot) {
  const auto now = Clock::now();
  if (now < tally_.next_news) return;
  tally_.next_news = now + kNewsInterval;
  const std::chrono::duration<double> seconds = now - tally_.began;
  const std::string text = fmt::format("{}: {} of {} rows, {:.0f} rows/s", snapshot.part.to_string(), tally_.read,
                                       expected_rows(), static_cast<double>(tally_.read) / seconds.count());
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
    snapshots_changed_ = true;
  }
  news_.notify();
  const std::chrono::duration<double> seconds = Clock::now() - tally_.began;
  const std::string rows = fmt::format("{} rows in {:.1f} s; the stream brought {} others meanwhile", tally_.printed,
                                       seconds.count(), tally_.left_out);
  const std::string text = status.is_ok() ? rows : status.message();
  if (status.is_ok()) {
    logger_.info("incremental snapshot {} complete: {}", id, text);
  } else {
    logger_.error("incremental snapshot {} refused: {}", id, text);
    // The connection may be in a transaction that has failed.
    reader_.disconnect();
  }
  ended_[id] = {status.is_ok() ? "complete" : "refused", text};
  reader_.tell(id, ended_[id].first, text);
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
