#include "leisure.h"

#include <ctime>

namespace walcat {

namespace {

constexpr Leisure::Nanoseconds kInterval{1'000'000};

Leisure::Nanoseconds read_clock(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + Leisure::Nanoseconds(time.tv_nsec);
}

}  // namespace

bool Leisure::has_time() {
  const Nanoseconds now = read_clock(CLOCK_MONOTONIC);
  // What was used is asked of the kernel, so not for each batch.
  return now - looked_at_ < kInterval ? has_time_ : has_time(now, read_clock(CLOCK_THREAD_CPUTIME_ID));
}

bool Leisure::has_time(Nanoseconds now, Nanoseconds used) {
  if (now - looked_at_ < kInterval) return has_time_;
  has_time_ = 4 * (used - used_then_) <= 3 * (now - looked_at_);
  looked_at_ = now;
  used_then_ = used;
  return has_time_;
}

}  // namespace walcat
