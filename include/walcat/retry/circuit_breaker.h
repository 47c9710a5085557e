#pragma once

#include <chrono>
#include <cstdint>

namespace walcat {

/// When attempts to reach a database become rare (`circuit_breaker`).
struct CircuitBreakerOptions {
  /// Failures in a row that open the breaker, at least 1.
  std::uint32_t failure_threshold = 5;
  /// How long it stays open before a probe.
  std::chrono::milliseconds open_timeout{300'000};
};

/// Counts failures in a row: enough of them open it, then only one attempt is made each `open_timeout`, until one
/// succeeds. It keeps no clock: whoever waits for `open_timeout` says so.
///
/// Threads: stage-bound.
class CircuitBreaker {
 public:
  enum class State {
    kClosed,    ///< Attempts are made.
    kOpen,      ///< None is made before open_timeout is over.
    kHalfOpen,  ///< One is being made.
  };

  explicit CircuitBreaker(const CircuitBreakerOptions& options) : options_(options) {}

  State state() const { return state_; }
  /// Failures since the last success.
  std::uint32_t failures() const { return failures_; }
  std::chrono::milliseconds open_timeout() const { return options_.open_timeout; }

  /// An attempt failed; says whether the breaker is open now.
  bool fail() {
    ++failures_;
    if (state_ == State::kHalfOpen || failures_ >= options_.failure_threshold) state_ = State::kOpen;
    return state_ == State::kOpen;
  }
  /// open_timeout is over: one attempt may be made.
  void probe() {
    if (state_ == State::kOpen) state_ = State::kHalfOpen;
  }
  /// An attempt succeeded.
  void succeed() {
    failures_ = 0;
    state_ = State::kClosed;
  }

 private:
  CircuitBreakerOptions options_;
  State state_ = State::kClosed;
  std::uint32_t failures_ = 0;
};

}  // namespace walcat
