#pragma once

#include <chrono>

namespace walcat {

/// Tells whether a thread has time to spare, by the share of the processor that it has used of late.
///
/// Threads: the thread it is about.
class Leisure {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  /// Whether the calling thread was idle for a quarter of the last millisecond or more.
  bool has_time();

  /// The same, told that it is `now` and that the thread has used `used` of the processor so far.
  bool has_time(Nanoseconds now, Nanoseconds used);

 private:
  Nanoseconds looked_at_{0};
  Nanoseconds used_then_{0};
  bool has_time_ = true;
};

}  // namespace walcat
