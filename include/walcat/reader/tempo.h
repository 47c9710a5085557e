#pragma once

#include <chrono>
#include <cstdint>

#include "walcat/reader/replay_options.h"

namespace walcat {

/// Says when the changes of a replay are due.
///
/// With a rate, changes are due in groups of a millisecond's worth, at least one; a replay that has fallen behind keeps
/// its timetable, so what was late shows in the delays.
/// Threads: stage-bound (reader).
class Tempo {
 public:
  using Clock = std::chrono::steady_clock;

  Tempo(const ReplayOptions& options, Clock::time_point start);

  bool has_rate() const { return rate_ > 0; }
  /// With a rate: whether the next change is the first of a group, so that it may have to wait.
  bool begins_group() const { return in_group_ == 0; }
  /// With a rate: when the group of the next change is due.
  Clock::time_point group_due() const;
  /// With a rate: a change leaves.
  void pass();

  /// When what was recorded so long after the beginning is due.
  Clock::time_point due(std::chrono::microseconds recorded) const;

 private:
  const Clock::time_point start_;
  const double speed_;
  const double rate_;
  /// Changes in a group.
  const std::uint64_t group_;
  std::uint64_t in_group_ = 0;
  std::uint64_t groups_ = 0;
};

}  // namespace walcat
