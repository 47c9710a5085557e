#include "walcat/reader/row_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace walcat {

namespace {

// What is taken of a row before anybody is asked: so a packet's end in an ordinary row costs nobody anything.
constexpr std::size_t kUnasked = std::size_t{64} << 10;
constexpr std::chrono::seconds kPatience{10};
// A row that comes this fast is waited for, however large it is.
constexpr std::size_t kBytesInSecond = std::size_t{1} << 20;
constexpr int kMostDoublings = 10;

}  // namespace

RowGate::RowGate(std::shared_ptr<LargeRows> rows, std::function<void()> wake)
    : claim_(std::move(rows), std::move(wake)) {}

bool RowGate::may_go_on(const Connection& connection) {
  const std::size_t bytes = arrived_ + connection.readable();
  is_closed_ = bytes > kUnasked && !claim_.ask(bytes);
  if (is_closed_) {
    rest();
    return false;
  }
  if (arrived_ == 0) rest();
  arrived_ = bytes;
  return true;
}

bool RowGate::may_take(std::size_t bytes) {
  is_closed_ = !claim_.ask(bytes);
  return !is_closed_;
}

LargeRows::Hold RowGate::take(std::size_t bytes, bool is_parked) {
  doublings_ = 0;
  return claim_.take(bytes, is_parked);
}

void RowGate::pass(std::size_t bytes) {
  doublings_ = 0;
  claim_.pass(bytes);
}

Status RowGate::check_patience() {
  if (!is_unfinished_ || arrived_ <= kUnasked) return Status::ok();
  const auto reading = std::min<Clock::duration>(claim_.keeps_waiting(), Clock::now() - reading_since_);
  if (reading < kPatience * (1 << doublings_) + std::chrono::seconds(arrived_ / kBytesInSecond)) return Status::ok();
  doublings_ = std::min(doublings_ + 1, kMostDoublings);
  return {StatusCode::kUnavailable,
          fmt::format("others have waited {:.0f} s for the memory that a row takes which arrives slowly, {} KiB of it "
                      "until now; it comes again, behind theirs (pipeline.memory_limit)",
                      std::chrono::duration<double>(reading).count(), arrived_ >> 10)};
}

void RowGate::release() {
  is_unfinished_ = is_closed_ = false;
  arrived_ = 0;
  claim_.release();
}

}  // namespace walcat
