#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace walcat {

/// Decides when it is said how often something has happened that may happen in every transaction: the first time at
/// once, later ones together, once a minute at most.
///
/// Threads: one thread adds; total() is for any.
class CountedNotice {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::minutes kInterval{1};

  /// It happened `count` times more. Returns how often since this was said last, if that is to be said `now`; 0: it is
  /// not.
  std::uint64_t add(std::uint64_t count, Clock::time_point now);

  /// How often in all.
  std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> total_{0};
  std::uint64_t said_ = 0;
  Clock::time_point said_at_;
};

}  // namespace walcat
