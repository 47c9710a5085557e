#include "snapshot_crew.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "walcat/model/table_name.h"

namespace walcat {

SnapshotCrew::SnapshotCrew(const DatabaseOptions& options, const SnapshotStart& start, const WakeFd& news,
                           const log::Logger& logger)
    : options_(options), start_(start), news_(news), logger_(logger), tables_(start.sources.size()) {
  for (const SnapshotTask& task : start.tasks) ++tables_[task.source].tasks_left;
  tables_left_ = tables_.size();
  if (tables_left_ == 0) {
    KeptRow nothing;
    nothing.ends_snapshot = true;
    released_.push_back(std::move(nothing));
    is_ended_ = true;
    return;
  }
  const std::size_t wanted = std::min(options.snapshot.workers, start.tasks.size());
  for (std::size_t i = 0; i < wanted; ++i) stops_.push_back(std::make_unique<StopRequest>());
  // One for each worker that waits, and one that each gives back.
  free_.reserve(2 * wanted);
  const Status made =
      workers_.add_some(wanted, [this](std::size_t i) { return [this, &stop = *stops_[i]] { run_worker(stop); }; });
  if (!made.is_ok()) fail(made);
}

SnapshotCrew::~SnapshotCrew() { dismiss(); }

std::vector<std::unique_ptr<Batch>> SnapshotCrew::dismiss() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  batch_given_.notify_all();
  for (const auto& stop : stops_) stop->request();
  workers_.join();
  return std::exchange(free_, {});
}

bool SnapshotCrew::wants_batch() const {
  const std::lock_guard lock(mutex_);
  return workers_waiting_ > free_.size();
}

bool SnapshotCrew::wants_spare() const {
  const std::lock_guard lock(mutex_);
  return full_.empty() && !released_.empty();
}

void SnapshotCrew::give(std::unique_ptr<Batch> batch) {
  {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(batch));
  }
  batch_given_.notify_one();
}

// Batches first: what a kept row ends has to be on its way before it.
std::unique_ptr<Batch> SnapshotCrew::take(std::unique_ptr<Batch>& spare) {
  const std::lock_guard lock(mutex_);
  if (!full_.empty()) {
    Full full = std::move(full_.front());
    full_.pop_front();
    mark_first(*full.batch, full.source);
    full.batch->snapshot = start_.sources[full.source];
    return std::move(full.batch);
  }
  if (released_.empty() || spare == nullptr) return nullptr;
  fill_with_kept_rows(*spare);
  return std::move(spare);
}

// As many as one batch may carry: of one table, and none behind one that is marked.
void SnapshotCrew::fill_with_kept_rows(Batch& batch) {
  const std::size_t source = released_.front().source;
  for (bool marked = false; !marked && !released_.empty(); released_.pop_front()) {
    KeptRow& row = released_.front();
    if (row.source != source || (row.text && !batch.has_room(row.text->size()))) return;
    if (row.text) {
      if (!batch.has_frames()) {
        batch.snapshot = start_.sources[source];
        mark_first(batch, source);
      }
      batch.append_frame(*row.text);
      batch.large = std::move(row.large);
    }
    std::move(row.chunks.begin(), row.chunks.end(), std::back_inserter(batch.chunks_done));
    batch.last_mark = row.mark;
    batch.ends_snapshot = row.ends_snapshot;
    marked = row.mark != SnapshotMark::kInside || row.ends_snapshot;
  }
}

// Whatever is shipped first of a table, and of all, begins with its first row. A resumed snapshot has begun before.
void SnapshotCrew::mark_first(Batch& batch, std::size_t source) {
  if (!tables_[source].is_begun && !start_.is_resumed) {
    batch.first_mark = is_begun_ ? SnapshotMark::kFirstOfTable : SnapshotMark::kFirst;
  }
  tables_[source].is_begun = true;
  is_begun_ = true;
}

std::vector<std::unique_ptr<Batch>> SnapshotCrew::discard() {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Batch>> batches;
  for (Full& full : full_) batches.push_back(std::move(full.batch));
  full_.clear();
  return batches;
}

void SnapshotCrew::release_kept_rows() {
  const std::lock_guard lock(mutex_);
  const auto release = [&](std::optional<KeptRow>& row) {
    if (!row) return;
    row->mark = SnapshotMark::kInside;
    released_.push_back(std::move(*row));
    row.reset();
  };
  for (Table& table : tables_) release(table.kept);
  release(last_of_table_);
  is_ended_ = true;
}

bool SnapshotCrew::is_over() const {
  const std::lock_guard lock(mutex_);
  return is_ended_ && full_.empty() && released_.empty();
}

Status SnapshotCrew::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void SnapshotCrew::run_worker(const StopRequest& stop) {
  // The lane has so many batches and no more: it outlives whatever is thrown.
  std::unique_ptr<Batch> batch;
  try {
    work(stop, batch);
  } catch (const std::exception& error) {
    fail(status_of(error, workers_.name()));
  }
  if (batch != nullptr) give(std::move(batch));
  news_.notify();
}

void SnapshotCrew::work(const StopRequest& stop, std::unique_ptr<Batch>& batch) {
  ChunkReader reader(options_, start_, stop, logger_);
  while (const auto task = next_task()) read_task(reader, *task, batch);
}

void SnapshotCrew::read_task(ChunkReader& reader, const SnapshotTask& task, std::unique_ptr<Batch>& batch) {
  reader.begin(task);
  for (;;) {
    if (batch == nullptr) batch = wait_for_batch();
    if (batch == nullptr) return;
    const auto progress = reader.read(*batch);
    if (!progress.is_ok()) {
      const Relation& relation = start_.sources[task.source]->relation;
      const Status failed =
          progress.status().with_context("snapshot of " + TableName{relation.schema, relation.name}.to_string());
      if (failed.code() != StatusCode::kStopped) fail(failed);
      return give(std::move(batch));
    }
    if (*progress == ChunkReader::Progress::kMore) {
      put_full(batch, task.source);
      continue;
    }
    std::optional<std::string> last_row;
    if (const auto begin = reader.last_row()) last_row = batch->pop_frame(*begin);
    const std::size_t row_bytes = last_row ? last_row->size() : 0;
    LargeRows::Hold large;
    if (batch->has_frames()) {
      put_full(batch, task.source);
    } else {
      large = std::move(batch->large);
      batch->clear();
    }
    rows_read_.fetch_add(last_row ? 1 : 0, std::memory_order_relaxed);
    bytes_read_.fetch_add(row_bytes, std::memory_order_relaxed);
    return end_task(task, std::move(last_row), std::move(large));
  }
}

std::optional<SnapshotTask> SnapshotCrew::next_task() {
  const std::lock_guard lock(mutex_);
  if (stopping_ || !failure_.is_ok() || next_task_ == start_.tasks.size()) return std::nullopt;
  return start_.tasks[next_task_++];
}

std::unique_ptr<Batch> SnapshotCrew::wait_for_batch() {
  std::unique_lock lock(mutex_);
  ++workers_waiting_;
  if (workers_waiting_ > free_.size()) news_.notify();
  batch_given_.wait(lock, [&] { return stopping_ || !failure_.is_ok() || !free_.empty(); });
  --workers_waiting_;
  // What a worker that has failed gave back holds rows of its table.
  if (stopping_ || !failure_.is_ok() || free_.empty()) return nullptr;
  auto batch = std::move(free_.back());
  free_.pop_back();
  return batch;
}

void SnapshotCrew::put_full(std::unique_ptr<Batch>& batch, std::size_t source) {
  const std::size_t rows = batch->frame_count();
  const std::size_t bytes = batch->frames_size();
  const std::lock_guard lock(mutex_);
  full_.emplace_back();
  full_.back() = {std::move(batch), source};
  rows_read_.fetch_add(rows, std::memory_order_relaxed);
  bytes_read_.fetch_add(bytes, std::memory_order_relaxed);
  news_.notify();
}

void SnapshotCrew::end_task(const SnapshotTask& task, std::optional<std::string> last_row, LargeRows::Hold large) {
  tasks_done_.fetch_add(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  Table& table = tables_[task.source];
  if (task.chunk) table.empty_chunks.push_back(*task.chunk);
  if (last_row) {
    if (table.kept) released_.push_back(std::move(*table.kept));
    table.kept = KeptRow{task.source, std::move(last_row), std::exchange(table.empty_chunks, {}), SnapshotMark::kInside,
                         false,       std::move(large)};
  }
  if (--table.tasks_left == 0) end_table(table, task.source);
  news_.notify();
}

// The row that was kept is the table's last; whether it is the last of all shows when the next table ends.
void SnapshotCrew::end_table(Table& table, std::size_t source) {
  KeptRow last =
      table.kept ? std::move(*table.kept) : KeptRow{source, std::nullopt, {}, SnapshotMark::kInside, false, {}};
  table.kept.reset();
  std::move(table.empty_chunks.begin(), table.empty_chunks.end(), std::back_inserter(last.chunks));
  last.mark = SnapshotMark::kLastOfTable;
  if (last.text || !last_of_table_) {
    if (last_of_table_) released_.push_back(std::move(*last_of_table_));
    last_of_table_ = std::move(last);
  } else {
    std::move(last.chunks.begin(), last.chunks.end(), std::back_inserter(last_of_table_->chunks));
  }
  if (--tables_left_ > 0) return;
  last_of_table_->mark = SnapshotMark::kLast;
  last_of_table_->ends_snapshot = true;
  released_.push_back(std::move(*last_of_table_));
  last_of_table_.reset();
  is_ended_ = true;
}

void SnapshotCrew::fail(const Status& status) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_.is_ok()) failure_ = status;
  }
  batch_given_.notify_all();
  for (const auto& stop : stops_) stop->request();
  news_.notify();
}

}  // namespace walcat
