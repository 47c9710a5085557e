#include "walcat/reader/tempo.h"

#include <algorithm>
#include <cmath>

namespace walcat {

namespace {

constexpr double kGroupsPerSecond = 1000;
// Beyond any rate that can be met.
constexpr double kLargestGroup = 1e9;
// A century: as good as never, and within the clock.
constexpr double kLongestWait = 3.2e9;

Tempo::Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Tempo::Clock::duration>(
      std::chrono::duration<double>(std::min(count, kLongestWait)));
}

}  // namespace

Tempo::Tempo(const ReplayOptions& options, Clock::time_point start)
    : start_(start),
      speed_(options.speed),
      rate_(options.tempo == ReplayOptions::Tempo::kRate ? options.rate : 0),
      group_(static_cast<std::uint64_t>(std::clamp(std::round(rate_ / kGroupsPerSecond), 1.0, kLargestGroup))) {}

Tempo::Clock::time_point Tempo::group_due() const {
  return start_ + seconds(static_cast<double>(groups_ * group_) / rate_);
}

void Tempo::pass() {
  if (++in_group_ < group_) return;
  in_group_ = 0;
  ++groups_;
}

Tempo::Clock::time_point Tempo::due(std::chrono::microseconds recorded) const {
  return start_ + seconds(std::chrono::duration<double>(recorded).count() / speed_);
}

}  // namespace walcat
