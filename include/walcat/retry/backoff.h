#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace walcat {

/// How attempts to reach a database are spaced (`retry_config`).
struct BackoffOptions {
  /// Attempts of one series; a used-up series starts again after `max_backoff`, for ever.
  std::uint32_t max_retries = 3;
  /// Pause before the second attempt.
  std::chrono::milliseconds initial_backoff{1'000};
  /// Longest pause.
  std::chrono::milliseconds max_backoff{30'000};
  /// Growth from one pause to the next, at least 1.
  double backoff_multiplier = 2.0;
};

/// Deals out the pauses between attempts: exponential, jittered, in endless series.
///
/// Threads: stage-bound.
class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options, std::uint32_t seed = std::random_device{}());

  /// The pause before the next attempt: between half of and the whole of the present step.
  ///
  /// After `max_retries` pauses the series is used up: the next pause is `max_backoff`, then a new series begins.
  std::chrono::milliseconds next();

  /// Attempts since the last success.
  std::uint32_t attempts() const { return attempts_; }

  /// The last attempt succeeded: the next failure starts from `initial_backoff`.
  void reset();

 private:
  BackoffOptions options_;
  std::minstd_rand random_;
  double step_ms_;
  std::uint32_t attempts_ = 0;
};

}  // namespace walcat
