#include "walcat/base/counted_notice.h"

#include <utility>

namespace walcat {

std::uint64_t CountedNotice::add(std::uint64_t count, Clock::time_point now) {
  if (count == 0) return 0;
  const std::uint64_t total = total_.fetch_add(count, std::memory_order_relaxed) + count;
  if (said_ > 0 && now - said_at_ < kInterval) return 0;
  said_at_ = now;
  return total - std::exchange(said_, total);
}

}  // namespace walcat
