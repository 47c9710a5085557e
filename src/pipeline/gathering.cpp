#include "gathering.h"

#include <utility>

namespace walcat {

namespace {

// Batches that one writev may carry, and bytes after which no more are added: where the output is slow, progress is
// known after each of them, and what has become ready meanwhile waits for no more than that. A pipe takes 64 KiB at
// once, so more would hardly save a call.
constexpr std::size_t kBatchesMost = 64;
constexpr std::size_t kBytesEnough = std::size_t{128} << 10;

}  // namespace

void Gathering::next(std::vector<Parcel>& parcels) {
  std::size_t bytes = 0;
  std::size_t passed_by = 0;
  while (passed_by < lanes_.size() && parcels.size() < kBatchesMost && bytes < kBytesEnough) {
    Lane& lane = *lanes_[turn_];
    turn_ = (turn_ + 1) % lanes_.size();
    auto batch = lane.collect();
    if (batch == nullptr) {
      ++passed_by;
      continue;
    }
    passed_by = 0;
    bytes += batch->lines.size();
    const bool is_whole = batch->changes_written + batch->line_ends.size() == batch->changes.size();
    if (is_whole) lane.pass();
    parcels.push_back({std::move(batch), is_whole});
  }
}

}  // namespace walcat
