#include "walcat/reader/copy_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::microseconds kNap{300};
constexpr std::size_t kPendingRoom = std::size_t{64} << 10;
// A server makes a row in one piece, of 1 GiB at most (MaxAllocSize).
constexpr std::size_t kRowMost = std::size_t{1} << 30;

}  // namespace

Status CopyReader::start(const std::string& sql, std::uint64_t rows_to_pass) {
  rows_to_pass_ = rows_to_pass;
  forget_pending();
  return connection_.start_copy(sql);
}

// Whoever has no batch stands in nobody's way: the batches may all be with those who wait.
Result<CopyReader::Progress> CopyReader::fill(Batch& batch) {
  auto progress = fill_in_turn(batch);
  gate_.leave(pending_.size());
  return progress;
}

// Rows go straight into the batch. The one that its room ends in is gathered aside, and opens the next batch.
Result<CopyReader::Progress> CopyReader::fill_in_turn(Batch& batch) {
  last_row_.reset();
  for (;;) {
    const bool is_full = batch.frame_count() == batch.rows_most();
    const std::span<char> room = is_full ? std::span<char>() : batch.frame_room();
    const bool is_aside = !pending_.empty() || room.empty();
    if (pending_is_whole_) {
      if (batch.has_frames() && rows_to_pass_ == 0) return Progress::kMore;
      if (const Status taken = take_pending(batch); !taken.is_ok()) return taken;
      continue;
    }
    const auto part = is_aside ? read_pending() : connection_.read_row(room.data(), room.size());
    if (!part.is_ok()) return part.status();
    if (part->has_ended) return Progress::kEnded;
    if (part->bytes == 0) {
      // Once there is so much of the next row that it is told to wait, there is one.
      const auto is_looked = wait_for_rows(batch.has_frames() && rows_to_pass_ == 0);
      if (!is_looked.is_ok()) return is_looked.status();
      if (!*is_looked) return Progress::kMore;
      continue;
    }
    if (looks_ > 0) found_rows();
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
  std::size_t row = 0;
  for (std::string scratch(kPendingRoom, '\0');;) {
    const auto part = connection_.read_row(scratch.data(), scratch.size());
    if (!part.is_ok() || part->has_ended) return part.status();
    if (part->bytes > 0) {
      if (looks_ > 0) found_rows();
      row += part->bytes;
      if (part->is_whole && row > kPendingRoom) gate_.pass(row);
      if (part->is_whole) row = 0;
      continue;
    }
    if (const auto looked = wait_for_rows(false); !looked.is_ok()) return looked.status();
  }
}

// Three looks: at once, after a nap, and when something comes. A server that sends is not woken for by naps. Returns
// false, if it may, where it would have to wait for memory.
Result<bool> CopyReader::wait_for_rows(bool may_leave) {
  if (!gate_.is_unfinished()) gate_.leave();
  gate_.looked(false, std::exchange(was_readable_, false));
  if (stop_.requested()) return Status(StatusCode::kStopped, "stopped");
  if (looks_ == 1) connection_.nap(kNap);
  if (looks_ == 2) was_readable_ = connection_.wait(kWait);
  looks_ = looks_ == 2 ? 0 : looks_ + 1;
  while (!gate_.may_look(connection_)) {
    if (may_leave) return false;
    if (Status waited = wait_at_gate(); !waited.is_ok()) return waited;
  }
  if (Status hurries = gate_.check_patience(); !hurries.is_ok()) return hurries;
  if (Status arrived = connection_.consume_input(); !arrived.is_ok()) return arrived;
  return true;
}

Status CopyReader::wait_at_gate() {
  if (stop_.requested()) return {StatusCode::kStopped, "stopped"};
  connection_.wait_without_reading(kWait);
  return Status::ok();
}

void CopyReader::found_rows() {
  looks_ = 0;
  gate_.looked(true, false);
}

// The row grows in place.
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

Status CopyReader::take_pending(Batch& batch) {
  const std::string_view row = pending_.view().substr(0, pending_.size() - 1);
  const bool is_large = !batch.fits(row.size());
  if (rows_to_pass_ > 0) {
    --rows_to_pass_;
    if (is_large) gate_.pass(row.size());
  } else {
    while (is_large && !gate_.may_take(row.size())) {
      if (Status waited = wait_at_gate(); !waited.is_ok()) return waited;
    }
    last_row_ = batch.frames_size();
    batch.append_frame(row);
    if (is_large) batch.large = gate_.take(row.size(), true);
  }
  forget_pending();
  return Status::ok();
}

void CopyReader::forget_pending() {
  pending_is_whole_ = false;
  pending_.clear(kPendingRoom);
}

}  // namespace walcat
