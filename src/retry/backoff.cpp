#include "walcat/retry/backoff.h"

#include <algorithm>

namespace walcat {

Backoff::Backoff(const BackoffOptions& options, std::uint32_t seed)
    : options_(options), random_(seed), step_ms_(static_cast<double>(options.initial_backoff.count())) {}

std::chrono::milliseconds Backoff::next() {
  const auto longest = static_cast<double>(options_.max_backoff.count());
  ++attempts_;
  const bool used_up = options_.max_retries > 0 && attempts_ % (options_.max_retries + 1) == 0;
  const double step = used_up ? longest : std::min(step_ms_, longest);
  step_ms_ = used_up ? static_cast<double>(options_.initial_backoff.count()) : step * options_.backoff_multiplier;
  // Jitter keeps walcats that lost one server together from coming back together.
  std::uniform_real_distribution<double> jitter(0.5, 1.0);
  return std::chrono::milliseconds(static_cast<std::int64_t>(step * jitter(random_)));
}

void Backoff::reset() {
  attempts_ = 0;
  step_ms_ = static_cast<double>(options_.initial_backoff.count());
}

}  // namespace walcat
