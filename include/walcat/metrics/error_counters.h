#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"

namespace walcat {

/// The word for a kind of fault, such as "connection".
std::string_view fault_word(FaultKind kind);

/// Counts faults by kind, with the rate and the last one of each.
///
/// Threads: any.
class ErrorCounters {
 public:
  using Clock = std::chrono::system_clock;

  struct Count {
    FaultKind kind = FaultKind::kUnknown;
    std::uint64_t total = 0;
    /// Those of the last 60 minutes.
    std::uint64_t last_hour = 0;
    Clock::time_point last_time;
    std::string last_message;
  };

  /// Counts a fault. One of an unknown kind counts as `otherwise`.
  void note(const Status& fault, FaultKind otherwise = FaultKind::kConnection, Clock::time_point now = Clock::now());

  /// The kinds that have occurred, in the order of FaultKind.
  std::vector<Count> counts(Clock::time_point now = Clock::now()) const;

 private:
  static constexpr std::size_t kKinds = static_cast<std::size_t>(FaultKind::kOutput) + 1;
  static constexpr std::int64_t kMinutes = 60;

  struct Record {
    std::uint64_t total = 0;
    /// Faults of a minute, at `minute % kMinutes`.
    std::array<std::uint64_t, kMinutes> by_minute{};
    std::array<std::int64_t, kMinutes> minutes{};
    Clock::time_point last_time;
    std::string last_message;
  };

  mutable std::mutex mutex_;
  std::array<Record, kKinds> records_;
};

}  // namespace walcat
