#include "chunk_hatch.h"

#include <utility>

namespace walcat {

bool ChunkHatch::wants_batch() const {
  const std::lock_guard lock(mutex_);
  return wants_batch_ && free_ == nullptr;
}

void ChunkHatch::give(std::unique_ptr<Batch> batch) {
  const std::lock_guard lock(mutex_);
  free_ = std::move(batch);
  changed_.notify_all();
}

std::unique_ptr<Batch> ChunkHatch::take(const SnapshotSignal& mark) {
  const std::lock_guard lock(mutex_);
  if (chunk_ == nullptr || mark_ != mark.mark) return nullptr;
  chunk_->chunk_commit_lsn = mark.commit_lsn;
  chunk_->chunk_commit_time = mark.commit_time;
  return std::move(chunk_);
}

void ChunkHatch::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

std::vector<std::unique_ptr<Batch>> ChunkHatch::clear_out() {
  const std::lock_guard lock(mutex_);
  std::vector<std::unique_ptr<Batch>> batches;
  for (auto* batch : {&chunk_, &free_}) {
    if (*batch != nullptr) batches.push_back(std::move(*batch));
  }
  return batches;
}

std::unique_ptr<Batch> ChunkHatch::wait_for_batch() {
  std::unique_lock lock(mutex_);
  if (free_ == nullptr) {
    wants_batch_ = true;
    news_.notify();
    changed_.wait(lock, [&] { return is_closed_ || free_ != nullptr; });
    wants_batch_ = false;
  }
  return std::move(free_);
}

void ChunkHatch::put(std::unique_ptr<Batch> chunk, const std::string& mark) {
  const std::lock_guard lock(mutex_);
  chunk_ = std::move(chunk);
  mark_ = mark;
}

std::unique_ptr<Batch> ChunkHatch::take_back() {
  const std::lock_guard lock(mutex_);
  return std::move(chunk_);
}

}  // namespace walcat
