#include "walcat/reader/copy_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::microseconds kNap{300};
constexpr std::size_t kPendingRoom = std::size_t{64} << 10;
// A server makes a row in one piece, of 1 GiB at most (MaxAllocSize).
constexpr std::size_t kRowMost = std::size_t{1} << 30;
constexpr std::size_t kLargeRow = std::size_t{4} << 20;

}  // namespace

Status CopyReader::start(const std::string& sql, std::uint64_t rows_to_pass) {
  rows_to_pass_ = rows_to_pass;
  forget_pending();
  return connection_.start_copy(sql);
}

// Rows go straight into the batch. The one that its room ends in is gathered aside, and opens the next batch.
Result<CopyReader::Progress> CopyReader::fill(Batch& batch) {
  last_row_.reset();
  for (;;) {
    const bool is_full = batch.frame_count() == batch.rows_most();
    const std::span<char> room = is_full ? std::span<char>() : batch.frame_room();
    const bool is_aside = !pending_.empty() || room.empty();
    if (pending_is_whole_) {
      if (batch.has_frames() && rows_to_pass_ == 0) return Progress::kMore;
      take_pending(batch);
      continue;
    }
    const auto part = is_aside ? read_pending() : connection_.read_row(room.data(), room.size());
    if (!part.is_ok()) return part.status();
    if (part->has_ended) return Progress::kEnded;
    if (part->bytes == 0) {
      if (const Status waited = wait_for_rows(); !waited.is_ok()) return waited;
      continue;
    }
    looks_ = 0;
    if (is_aside) continue;
    if (!part->is_whole) {
      pending_.append({room.data(), part->bytes});
    } else if (rows_to_pass_ > 0) {
      --rows_to_pass_;
    } else {
      last_row_ = batch.frames_size();
      batch.add_written_frame(part->bytes - 1);
    }
  }
}

Status CopyReader::skip_rest() {
  for (std::string scratch(kPendingRoom, '\0');;) {
    const auto part = connection_.read_row(scratch.data(), scratch.size());
    if (!part.is_ok() || part->has_ended) return part.status();
    if (part->bytes > 0) continue;
    if (Status waited = wait_for_rows(); !waited.is_ok()) return waited;
  }
}

// Three looks: at once, after a nap, and when something comes. A server that sends is not woken for by naps.
Status CopyReader::wait_for_rows() {
  if (stop_.requested()) return {StatusCode::kStopped, "stopped"};
  if (looks_ == 1) connection_.nap(kNap);
  if (looks_ == 2) connection_.wait(kWait);
  looks_ = looks_ == 2 ? 0 : looks_ + 1;
  return connection_.consume_input();
}

Result<Connection::RowPart> CopyReader::read_pending() {
  if (pending_.size() > kRowMost) {
    return Status(StatusCode::kProtocolError, fmt::format("COPY: a row of more than {} MiB has no end", kRowMost >> 20))
        .with_kind(FaultKind::kProtocol);
  }
  pending_.ensure(kPendingRoom);
  auto part = connection_.read_row(pending_.end(), pending_.capacity() - pending_.size());
  if (part.is_ok()) pending_.set_end(pending_.end() + part->bytes);
  pending_is_whole_ = part.is_ok() && part->is_whole;
  return part;
}

void CopyReader::take_pending(Batch& batch) {
  met_large_row_ = met_large_row_ || pending_.size() > kLargeRow;
  if (rows_to_pass_ > 0) {
    --rows_to_pass_;
  } else {
    last_row_ = batch.frames_size();
    batch.append_frame(pending_.view().substr(0, pending_.size() - 1));
  }
  forget_pending();
}

void CopyReader::forget_pending() {
  pending_is_whole_ = false;
  pending_.clear(kLargeRow);
}

}  // namespace walcat
