#include "walcat/writer/writer.h"

#include <algorithm>

namespace walcat {

namespace {

std::size_t line_begin(const Batch& batch, std::size_t change) { return change == 0 ? 0 : batch.line_ends[change - 1]; }

// Whether the line is that of a transaction's border, which is no change.
bool is_border(const Batch& batch, std::size_t line) {
  const std::size_t change = batch.changes_written + line;
  if (change >= batch.changes.size()) return false;
  const Operation operation = batch.changes[change].operation;
  return operation == Operation::kBegin || operation == Operation::kCommit;
}

// Counts the changes whose lines end within the first `bytes` of the batch's lines.
std::size_t whole_changes(const Batch& batch, std::size_t bytes) {
  const auto& ends = batch.line_ends;
  return static_cast<std::size_t>(std::upper_bound(ends.begin(), ends.end(), bytes) - ends.begin());
}

}  // namespace

// How many of the batch's changes may still be written under max_changes. What prints no line does not count.
std::size_t Writer::changes_wanted(const Batch& batch) {
  if (!changes_left_) return batch.line_ends.size();
  std::size_t wanted = 0;
  for (; wanted < batch.line_ends.size() && *changes_left_ > 0; ++wanted) {
    if (batch.line_ends[wanted] > line_begin(batch, wanted) && !is_border(batch, wanted)) --*changes_left_;
  }
  return wanted;
}

Status Writer::write(std::span<Batch* const> batches) {
  if (max_changes_reached()) return {StatusCode::kStopped, "max_changes reached"};
  parts_.clear();
  for (Batch* batch : batches) {
    const std::size_t bytes = line_begin(*batch, changes_wanted(*batch));
    parts_.push_back({batch->lines.data(), bytes});
  }
  std::size_t accepted = 0;
  const Status status = sink_.write(parts_, accepted);
  bytes_written_ += accepted;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    Batch& batch = *batches[i];
    const std::size_t mine = std::min(accepted, parts_[i].iov_len);
    accepted -= mine;
    batch.changes_written += static_cast<std::uint32_t>(whole_changes(batch, mine));
    batch.line_ends.clear();
    batch.lines.clear(batch.line_bytes());
  }
  if (status.is_ok() && max_changes_reached()) return {StatusCode::kStopped, "max_changes reached"};
  return status;
}

}  // namespace walcat
