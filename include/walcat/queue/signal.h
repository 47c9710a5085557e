#pragma once

#include <atomic>
#include <cstdint>

namespace walcat {

/// Lets a thread sleep until another has something for it. The queues try; this waits.
///
/// The consumer takes a `ticket()`, looks at its queues, and if all are empty calls `wait(ticket)`. The producer first
/// enqueues and then calls `notify()`. A notify after the ticket makes wait return at once, so none is missed: the
/// producer's increment and the consumer's ticket are both sequentially consistent, hence either the ticket is new
/// enough to see the enqueued parcel or wait sees a changed epoch.
/// Threads: thread-safe; any number may wait.
class Signal {
 public:
  std::uint32_t ticket() const { return epoch_.load(std::memory_order_seq_cst); }

  void wait(std::uint32_t ticket) {
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    epoch_.wait(ticket, std::memory_order_seq_cst);
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

  /// Wakes every sleeper. Costs no system call while nobody sleeps.
  void notify() {
    epoch_.fetch_add(1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) > 0) epoch_.notify_all();
  }

 private:
  alignas(64) std::atomic<std::uint32_t> epoch_{0};
  std::atomic<std::uint32_t> sleepers_{0};
};

}  // namespace walcat
