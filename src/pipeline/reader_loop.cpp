#include "reader_loop.h"

#include <poll.h>

#include <utility>

namespace walcat {

namespace {

// Sleeps until `timeout` is over, but no longer than until a stop is requested.
void sleep_interruptibly(const Lane& lane, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!lane.stop.requested() && !lane.failed()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return;
    pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
    if (::poll(&wake, 1, static_cast<int>(left)) > 0) lane.stop.wake().drain();
  }
}

}  // namespace

ReaderLoop::ReaderLoop(Lane& lane, SharedBatches& shared, const Bounds& bounds, const BackoffOptions& retry,
                       std::function<void()> shipped)
    : lane_(lane),
      shared_(shared),
      source_(lane.options, lane.selection, bounds, lane.stop, lane.logger),
      backoff_(retry),
      shipped_(std::move(shipped)) {}

void ReaderLoop::run() {
  try {
    while (step()) {
    }
  } catch (const std::exception& error) {
    lane_.fail({StatusCode::kInternal, error.what()});
  }
  const bool failed_reading = lane_.failed();
  if (failed_reading) lane_.logger.error("stopped: {}", lane_.failure().message());
  see_through();
  // The decoder may meet the fault after the last frame was read.
  if (lane_.failed() && !failed_reading) lane_.logger.error("stopped: {}", lane_.failure().message());
}

// One read, or one wait; false once the lane is to end.
bool ReaderLoop::step() {
  if (past_stop()) return false;
  report_progress();
  if (batch_ == nullptr) batch_ = lane_.take_free(shared_);
  if (batch_ == nullptr) {
    const Status attended = source_.attend();
    return attended.is_ok() || survive(attended);
  }
  const auto outcome = source_.read(*batch_);
  if (!published_ && source_.offset() != nullptr) {
    lane_.publish_identity(*source_.offset());
    published_ = true;
  }
  if (batch_->has_frames()) send(false);
  if (!outcome.is_ok()) return survive(outcome.status());
  if (*outcome != ReadOutcome::kNothing) backoff_.reset();
  return *outcome != ReadOutcome::kEnd;
}

bool ReaderLoop::past_stop() {
  if (lane_.failed()) return true;
  if (lane_.cut.load(std::memory_order_acquire)) {
    if (source_.in_transaction()) lane_.logger.warning("stopping inside a transaction; the next run goes on inside it");
    return true;
  }
  if (!lane_.stop.requested()) return false;
  if (!source_.in_transaction()) return true;
  source_.finish_at_commit();
  return false;
}

// Waits and goes on after what time may heal; false, with the lane failed, after what it will not.
bool ReaderLoop::survive(const Status& status) {
  if (status.code() == StatusCode::kStopped || lane_.stop.requested()) return false;
  if (status.code() != StatusCode::kUnavailable) {
    lane_.fail(status);
    return false;
  }
  const auto pause = backoff_.next();
  lane_.logger.warning("{}; attempt {} in {:.1f} s", status.message(), backoff_.attempts() + 1,
                       static_cast<double>(pause.count()) / 1000);
  sleep_interruptibly(lane_, pause);
  return true;
}

void ReaderLoop::send(bool is_last) {
  batch_->is_last = is_last;
  lane_.ship(std::move(batch_));
  shipped_();
}

void ReaderLoop::report_progress() {
  source_.progress(lane_.written(), Lsn{lane_.stored.load(std::memory_order_acquire)});
}

// The connection stays alive while the street drains: the last position is confirmed at the end of it.
void ReaderLoop::see_through() {
  const auto attend = [&] {
    report_progress();
    if (const Status attended = source_.attend(); !attended.is_ok()) {
      lane_.logger.warning("{}; the last position is stored, but the server will learn it at the next start",
                           attended.message());
    }
  };
  while (batch_ == nullptr) {
    batch_ = lane_.take_free(shared_);
    if (batch_ == nullptr) attend();
  }
  send(true);
  while (!lane_.settled.load(std::memory_order_acquire)) attend();
  report_progress();
  source_.close();
}

}  // namespace walcat
