#include "walcat/metrics/delays.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace walcat {

// Below kSteps nanoseconds a class each; above, the bits behind the leading one choose among kSteps.
std::size_t Delays::class_of(std::uint64_t ns) {
  if (ns < kSteps) return ns;
  const int shift = std::bit_width(ns) - 1 - kStepBits;
  return static_cast<std::size_t>(shift) * kSteps + (ns >> shift);
}

// The largest delay of a class.
std::uint64_t Delays::end_of(std::size_t index) {
  if (index < 2 * kSteps) return index;
  const std::size_t shift = index / kSteps - 1;
  return ((index % kSteps + kSteps + 1) << shift) - 1;
}

Delays::Duration Delays::quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(share * static_cast<double>(count_));
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(wanted), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    seen += classes_[i];
    if (seen >= rank) return Duration(std::min(end_of(i), most_));
  }
  return most();
}

}  // namespace walcat
