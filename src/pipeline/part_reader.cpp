#include "part_reader.h"

#include <algorithm>
#include <utility>

#include "walcat/base/secret.h"
#include "walcat/base/utf8.h"

namespace walcat {

namespace {

constexpr std::size_t kFirstRows = 1'024;
constexpr std::size_t kMissedAtOnce = 500;
// Chunks in a row of which nothing could be said.
constexpr std::size_t kAttemptsMost = 100;
constexpr std::chrono::milliseconds kShortestWait{1};
constexpr std::chrono::milliseconds kLongestWait{200};

constexpr std::size_t kMarkBytes = 16;

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

}  // namespace

PartReader::PartReader(IncrementalReader& reader, SnapshotWindow& window, IncrementalDesk& desk, ChunkHatch& hatch,
                       IncrementalTally& tally, const log::Logger& logger)
    : reader_(reader), window_(window), desk_(desk), hatch_(hatch), tally_(tally), logger_(logger) {}

// Where it goes on in the middle, rows may have moved from what is left to what was read while nobody was watching, and
// the stream may have left out their large values: so first the rows are read that were written since, among those
// that were read.
Result<bool> PartReader::read(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  window_.watch({part.source->relation.oid, part.key.names()});
  const auto run = [&](const Key& after, const Key& last, std::optional<std::uint64_t> since) {
    reading_ = Reading{};
    reading_.after = after;
    reading_.last = last;
    reading_.since = since;
    reading_.rows_most = kFirstRows;
    reading_.missed_most = kMissedAtOnce;
    return read_pass(part, snapshot);
  };
  if (!snapshot.last_key.empty() && part.may_miss_values) {
    const auto repaired = run({}, snapshot.last_key, snapshot.seen_xid);
    if (!repaired.is_ok() || !*repaired) return repaired;
  }
  return run(snapshot.last_key, {}, std::nullopt);
}

void PartReader::forget() {
  if (batch_ != nullptr) batch_->clear();
}

Result<bool> PartReader::read_pass(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  for (;;) {
    if (Status go_on = desk_.check_in(snapshot.id); !go_on.is_ok()) return go_on;
    if (reading_.at_end && reading_.missed.empty()) return true;
    if (Status read = read_chunk(part, snapshot); !read.is_ok()) return read;
    if (reading_.has_changed_shape) return false;
    tally_.report(snapshot);
    if (Status in_time = keep_rate(snapshot); !in_time.is_ok()) return in_time;
  }
}

Status PartReader::keep_rate(const IncrementalSnapshot& snapshot) {
  if (snapshot.rows_per_second == 0) return Status::ok();
  return desk_.check_in_until(snapshot.id, tally_.next_chunk(snapshot.rows_per_second));
}

Status PartReader::read_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  if (batch_ == nullptr) batch_ = hatch_.wait_for_batch();
  if (batch_ == nullptr) return stopped();
  batch_->clear();
  window_.open(++chunk_);
  const auto moment = reader_.begin_chunk(part, snapshot.where);
  if (!moment.is_ok()) return moment.status();
  reading_.has_changed_shape = !*moment || (*moment)->shape != part.shape;
  if (reading_.has_changed_shape) {
    window_.close();
    return *moment ? reader_.end_chunk() : Status::ok();
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
Status PartReader::wait_for_sight() {
  window_.close();
  const auto wait = std::min(kShortestWait * (1 << std::min<std::size_t>(reading_.blind, 8)), kLongestWait);
  constexpr std::size_t kNoticed = 12;
  if (++reading_.blind == kNoticed) {
    logger_.info("incremental snapshot: waiting for transactions that are open on the server");
  }
  return desk_.sleep(wait) ? Status::ok() : stopped();
}

Status PartReader::copy_chunk(const KeyedPart& part, const IncrementalSnapshot& snapshot) {
  if (reading_.last.empty()) {
    // Not before: what is above it was written by transactions that come by.
    const auto last = reader_.largest_key(part);
    if (!last.is_ok()) return last.status();
    reading_.at_end = !*last;
    reading_.last = last->value_or(Key{});
  }
  reading_.asked = std::min(reading_.missed.size(), reading_.missed_most);
  if (reading_.asked > 0) return copy_missed(part);
  reading_.chunk_ends_part = true;
  if (reading_.at_end) return Status::ok();
  std::size_t rows_most = std::min(reading_.rows_most, batch_->rows_most());
  if (snapshot.rows_per_second > 0) {
    rows_most = std::min<std::size_t>(rows_most, std::max<std::uint64_t>(snapshot.rows_per_second / 4, 1));
  }
  const auto ended = reader_.read(part, {reading_.after, reading_.last, rows_most, reading_.since}, *batch_);
  if (!ended.is_ok()) return ended.status();
  reading_.chunk_ends_part = *ended;
  const std::size_t rows = batch_->frame_count();
  if (rows == 0) return Status::ok();
  // As many as fill a batch most of the way.
  const std::size_t fit = (batch_->frames_size() + batch_->frame_room().size()) / (batch_->frames_size() / rows + 1);
  reading_.rows_most = rows < rows_most && !*ended ? rows : std::clamp<std::size_t>(fit * 9 / 10, 1, 2 * rows_most);
  return Status::ok();
}

Status PartReader::copy_missed(const KeyedPart& part) {
  for (;;) {
    const std::vector<Key> keys(reading_.missed.begin(),
                                reading_.missed.begin() + static_cast<std::ptrdiff_t>(reading_.asked));
    const auto all = reader_.read(part, keys, *batch_);
    if (!all.is_ok()) return all.status();
    if (*all) return Status::ok();
    // Too many for one batch: nothing of it, and fewer at once. A single row always fits.
    reading_.asked = reading_.missed_most = std::max<std::size_t>(reading_.asked / 2, 1);
    batch_->clear();
  }
}

// Without rows too: when the mark has come by, so have all changes that the chunk's snapshot sees.
Status PartReader::insert_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot) {
  reading_.chunk_last = window_.hold(*batch_, part.source->relation, reading_.visible);
  batch_->snapshot = part.source;
  batch_->chunk = chunk_;
  // Every role can write messages: one that says this was written when the mark was known, so the chunk had been read.
  const std::string mark = random_hex(kMarkBytes);
  hatch_.put(std::move(batch_), mark);
  Status marked = reader_.mark(mark);
  if (!marked.is_ok()) {
    batch_ = hatch_.take_back();
    // Where it was taken, the mark has come by all the same.
    if (batch_ != nullptr) return marked;
  }
  const auto verdict = window_.wait_for_verdict();
  if (!verdict) return stopped();
  return marked.is_ok() ? settle_chunk(*verdict, snapshot) : marked;
}

Status PartReader::settle_chunk(const SnapshotWindow::Verdict& verdict, IncrementalSnapshot& snapshot) {
  if (verdict.again) {
    if (++reading_.unclear < kAttemptsMost) return desk_.sleep(kShortestWait) ? Status::ok() : stopped();
    return {StatusCode::kRefused, "the stream's changes do not tell which rows they touch: their key is not in them"};
  }
  reading_.unclear = 0;
  tally_.count(verdict);
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
  if (!reading_.missed.empty() || reading_.since || reading_.after.empty()) return Status::ok();
  // A key that is no UTF-8 cannot stand in the offset file.
  const auto is_printable = [](const std::string& text) { return with_replacements(text) == text; };
  if (!std::all_of(reading_.after.begin(), reading_.after.end(), is_printable)) return Status::ok();
  snapshot.last_key = reading_.after;
  snapshot.seen_xid = reading_.visible.xmin;
  return desk_.store(snapshot);
}

// Rows that change in every window never come to be read whole.
void PartReader::give_up_restless_rows() {
  if (reading_.fruitless < kAttemptsMost) return;
  logger_.warning(
      "incremental snapshot: {} rows change all the time; the large values that their changes leave out are "
      "not printed",
      reading_.missed.size());
  reading_.missed.clear();
  reading_.fruitless = 0;
}

void PartReader::collect_missed() {
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

}  // namespace walcat
