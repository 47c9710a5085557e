#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace walcat {

/// How long changes took, counted in classes: each is at most 1/32 wider than where it begins.
///
/// Threads: one at a time.
class Delays {
 public:
  using Duration = std::chrono::nanoseconds;

  /// `changes` took `delay`; less than nothing counts as nothing.
  void add(Duration delay, std::uint64_t changes) {
    if (changes == 0) return;
    const auto ns = static_cast<std::uint64_t>(delay.count() < 0 ? 0 : delay.count());
    classes_[class_of(ns)] += changes;
    count_ += changes;
    if (ns > most_) most_ = ns;
  }

  std::uint64_t count() const { return count_; }
  /// The delay that `share` (0 to 1) of the changes did not exceed, rounded up to its class; zero if there are none.
  Duration quantile(double share) const;
  Duration most() const { return Duration(most_); }

 private:
  /// Classes for each power of two.
  static constexpr std::size_t kSteps = 32;
  static constexpr int kStepBits = 5;
  static std::size_t class_of(std::uint64_t ns);
  static std::uint64_t end_of(std::size_t index);

  std::array<std::uint64_t, (64 - kStepBits + 1) * kSteps> classes_{};
  std::uint64_t count_ = 0;
  std::uint64_t most_ = 0;
};

}  // namespace walcat
