#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>

namespace walcat {

/// Lets a thread sleep until another has something for it. The queues try; this waits.
///
/// The consumer takes a `ticket()`, looks at its queues, and if all are empty calls `wait(ticket)`. The producer first
/// enqueues and then calls `notify()`. A notify after the ticket makes wait return at once, so none is missed: the
/// producer's increment and the consumer's ticket are both sequentially consistent, hence either the ticket is new
/// enough to see the enqueued parcel or wait sees a changed epoch.
///
/// It sleeps in futex(2) itself: std::atomic's wait yields the processor several times before it sleeps, which costs
/// more than the sleep and takes the processor from the server that is waited for.
/// Threads: thread-safe; any number may wait.
class Signal {
 public:
  std::uint32_t ticket() const { return epoch_.load(std::memory_order_seq_cst); }

  void wait(std::uint32_t ticket) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    while (epoch_.load(std::memory_order_seq_cst) == ticket) futex(FUTEX_WAIT_PRIVATE, ticket);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Wakes every sleeper. Costs no system call while nobody sleeps.
  void notify() {
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) futex(FUTEX_WAKE_PRIVATE, INT_MAX);
  }

 private:
  // The kernel compares the word with `value` itself, so a notify just before is seen there.
  void futex(int operation, std::uint32_t value) {
    static_assert(sizeof epoch_ == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
    ::syscall(SYS_futex, &epoch_, operation, value, nullptr, nullptr, 0);
  }

  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace walcat
