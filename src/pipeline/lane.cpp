#include "lane.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "broken_batch.h"

namespace walcat {

namespace {

// Of faults that say nothing themselves.
FaultKind usual_kind(StatusCode code) {
  switch (code) {
    case StatusCode::kProtocolError: return FaultKind::kDecode;
    case StatusCode::kGap:
    case StatusCode::kRefused: return FaultKind::kSlot;
    case StatusCode::kOutputFailed: return FaultKind::kOutput;
    case StatusCode::kUnavailable:
    case StatusCode::kWaiting: return FaultKind::kConnection;
    default: return FaultKind::kUnknown;
  }
}

}  // namespace

Lane::Lane(std::uint32_t lane_index, const DatabaseOptions& database, const DecoderOptions& decoder_options,
           const BatchPlan& plan)
    : index(lane_index),
      options(database),
      selection(decoder_options.selection),
      rules(decoder_options.rules),
      logger(database.label),
      offset_file(database.offset_path),
      window(decoder_options.window),
      decoder(decoder_options),
      frames_(plan.most_in_lane()),
      reserved_(plan.reserved_each),
      slots_(plan.most_in_lane()) {
  for (std::size_t i = 0; i < plan.reserved_each; ++i) {
    auto batch = std::make_unique<Batch>(plan.batch_bytes);
    batch->is_reserved = true;
    reserved_.put(std::move(batch));
  }
}

// What was delivered and never collected.
Lane::~Lane() {
  for (auto& slot : slots_) delete slot.load(std::memory_order_acquire);
}

void Lane::fail(const Status& status) {
  errors.note(status, usual_kind(status.code()));
  {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok()) failure_ = status;
  }
  failed_.store(true, std::memory_order_release);
  stop.wake().notify();
}

void Lane::break_off_behind(const Batch& batch) {
  auto last = last_to_print_.load(std::memory_order_relaxed);
  while (batch.sequence < last && !last_to_print_.compare_exchange_weak(last, batch.sequence)) {
  }
}

void Lane::note_dead_letters(const DeadLetterTally& letters) {
  if (letters.count == 0) return;
  for (std::uint64_t i = 0; i < letters.count; ++i) errors.note(letters.first, FaultKind::kDecode);
  dead_letters_.fetch_add(letters.count, std::memory_order_relaxed);
  const std::string others = letters.count == 1 ? "" : fmt::format(", and {} more", letters.count - 1);
  const std::string& path = options.dead_letter_path;
  logger.error("dead letter: {}{}; {}", letters.first.message(), others, path.empty() ? "left out" : "kept in " + path);
}

Status Lane::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

std::unique_ptr<Batch> Lane::take_free(SharedBatches& shared) {
  const auto try_both = [&] {
    auto batch = reserved_.take();
    return batch != nullptr ? std::move(batch) : shared.take();
  };
  if (auto batch = try_both()) return batch;
  // Announce, then look again: the writer gives back first and looks at the flag afterwards, so one of us sees the
  // other.
  starving_.store(true, std::memory_order_seq_cst);
  auto batch = try_both();
  if (batch != nullptr) starving_.store(false, std::memory_order_relaxed);
  return batch;
}

void Lane::number(Batch& batch) {
  batch.lane = index;
  batch.sequence = next_to_ship_++;
}

void Lane::ship(std::unique_ptr<Batch> batch) {
  number(*batch);
  frames_.put(std::move(batch));
}

void Lane::publish_identity(const Offset& offset) {
  const std::lock_guard lock(mutex_);
  identity_ = offset;
  table_places_.clear();
  if (offset.snapshot) sessions_stored_.store(offset.snapshot->sessions, std::memory_order_release);
  written_in_part_ = {Lsn{}, offset.done.open_commit_lsn, offset.done.open_changes};
  written_.store(offset.done.position.value, std::memory_order_release);
  stored.store(offset.done.position.value, std::memory_order_release);
}

void Lane::publish_timeline(std::uint32_t timeline) {
  const std::lock_guard lock(mutex_);
  identity_->timeline = timeline;
}

void Lane::withdraw_identity() {
  const std::lock_guard storing(storing_);
  const std::lock_guard lock(mutex_);
  beginning_.fetch_add(1, std::memory_order_release);
  identity_.reset();
}

Status Lane::store(const Offset& offset, std::uint64_t beginning) {
  const std::lock_guard storing(storing_);
  if (beginning != beginning_.load(std::memory_order_acquire)) return Status::ok();
  const auto there = offset_file.load();
  if (there.status().code() == StatusCode::kUnavailable) return there.status();
  const bool is_passed = there.is_ok() && *there && (*there)->system_identifier == offset.system_identifier &&
                         (*there)->database == offset.database && (*there)->slot == offset.slot &&
                         (*there)->done.position > offset.done.position;
  Status safe = is_passed ? Status::ok() : offset_file.store(offset);
  if (safe.is_ok()) stored.store(offset.done.position.value, std::memory_order_release);
  return safe;
}

void Lane::show_tables(TableView view, std::uint64_t session) {
  {
    const std::lock_guard lock(mutex_);
    tables_ = std::move(view);
    tables_session_ = session;
  }
  stop.wake().notify();
}

std::optional<TableView> Lane::take_tables(std::uint64_t session) {
  const std::lock_guard lock(mutex_);
  auto view = std::exchange(tables_, std::nullopt);
  return tables_session_ == session ? std::move(view) : std::nullopt;
}

void Lane::publish_snapshot(const SnapshotProgress& progress) {
  {
    const std::lock_guard lock(mutex_);
    identity_->snapshot = progress;
    table_places_.clear();
  }
  snapshot_moved_.store(true, std::memory_order_release);
  flush_due.store(true, std::memory_order_release);
}

std::optional<SnapshotProgress> Lane::snapshot() const {
  const std::lock_guard lock(mutex_);
  return identity_ ? identity_->snapshot : std::nullopt;
}

std::optional<Offset> Lane::identity() const {
  const std::lock_guard lock(mutex_);
  std::optional<Offset> offset = identity_;
  if (offset && rules != nullptr) offset->remembered = rules->tables();
  return offset;
}

void Lane::deliver(std::unique_ptr<Batch> batch) {
  auto& slot = slots_[batch->sequence % slots_.size()];
  assert(slot.load(std::memory_order_relaxed) == nullptr);
  slot.store(batch.release(), std::memory_order_release);
}

std::unique_ptr<Batch> Lane::collect() {
  auto& slot = slots_[next_to_write_ % slots_.size()];
  std::unique_ptr<Batch> batch(slot.exchange(nullptr, std::memory_order_acquire));
  assert(batch == nullptr || batch->sequence == next_to_write_);
  if (batch != nullptr && batch->sequence > last_to_print_.load(std::memory_order_acquire)) leave_out(*batch);
  return batch;
}

void Lane::give_back(std::unique_ptr<Batch> batch, SharedBatches& shared) {
  batch->clear();
  if (batch->is_reserved) {
    reserved_.put(std::move(batch));
  } else {
    shared.put(std::move(batch));
  }
  given_back_.fetch_add(1, std::memory_order_release);
}

void Lane::wake_if_starving() {
  if (starving_.load(std::memory_order_seq_cst) && starving_.exchange(false)) stop.wake().notify();
}

void Lane::note_written(Batch& batch, bool is_whole) {
  if (is_cut_off_) return;
  is_cut_off_ = is_whole && batch.changes_written < batch.changes.size();
  note_values(batch);
  changes_written_.fetch_add(batch.changes_written - batch.changes_noted, std::memory_order_relaxed);
  batch.changes_noted = batch.changes_written;
  if (batch.changes_written == batch.changes.size()) {
    note_incremental(batch);
    note_chunks(batch);
  }
  const auto& points = batch.progress_points;
  const auto beyond = std::find_if(points.begin(), points.end(),
                                   [&](const auto& point) { return point.changes_end > batch.changes_written; });
  std::uint32_t closed = 0;
  if (beyond != points.begin()) {
    const ProgressPoint& reached = *std::prev(beyond);
    closed = reached.changes_end;
    // A position before the transaction that an earlier run left open says nothing of it.
    if (reached.position > written_in_part_.open_commit_lsn) written_in_part_ = ResumePoint{};
    written_.store(reached.position.value, std::memory_order_release);
  }
  if (batch.snapshot == nullptr && batch.changes_written > closed) {
    const Change& last = batch.changes[batch.changes_written - 1];
    written_in_part_ = {Lsn{}, batch.transactions[last.transaction].commit_lsn, last.index + 1};
  }
}

void Lane::note_values(Batch& batch) {
  const auto now = CountedNotice::Clock::now();
  if (const auto count = values_repaired_.add(std::exchange(batch.values_repaired, 0), now); count > 0) {
    logger.warning("replaced what is no UTF-8 in {} values", count);
  }
  if (const auto count = values_as_text_.add(std::exchange(batch.values_as_text, 0), now); count > 0) {
    logger.warning("printed {} values as text, for which their form in output.debezium has no place", count);
  }
}

// Before the position that it goes with.
void Lane::note_incremental(const Batch& batch) {
  if (batch.incremental == nullptr && batch.tables == nullptr) return;
  {
    const std::lock_guard lock(mutex_);
    if (!identity_) return;
    if (batch.incremental != nullptr) identity_->incremental = *batch.incremental;
    if (batch.tables != nullptr) identity_->published = *batch.tables;
  }
  snapshot_moved_.store(true, std::memory_order_release);
}

// Snapshots have many tables, and a chunk each at least.
SnapshotProgress::Table* Lane::find_table(SnapshotProgress& progress, std::uint32_t oid) {
  if (table_places_.empty()) {
    for (std::size_t i = 0; i < progress.tables.size(); ++i) table_places_.emplace(progress.tables[i].oid, i);
  }
  const auto place = table_places_.find(oid);
  return place == table_places_.end() ? nullptr : &progress.tables[place->second];
}

// A chunk is done with its last row.
void Lane::note_chunks(const Batch& batch) {
  if (batch.chunks_done.empty() && !batch.ends_snapshot) return;
  {
    const std::lock_guard lock(mutex_);
    SnapshotProgress& progress = *identity_->snapshot;
    for (const ChunkId& chunk : batch.chunks_done) {
      SnapshotProgress::Table* table = find_table(progress, chunk.table_oid);
      if (table == nullptr || table->filenode != chunk.filenode || chunk.number >= table->done.size()) continue;
      table->done[chunk.number] = true;
    }
    if (batch.ends_snapshot) {
      progress.complete = true;
      progress.tables.clear();
      table_places_.clear();
    }
  }
  snapshot_moved_.store(true, std::memory_order_release);
  (batch.ends_snapshot ? flush_due : chunks_due).store(true, std::memory_order_release);
}

}  // namespace walcat
