#pragma once

#include <atomic>

#include "walcat/queue/wake_fd.h"

namespace walcat {

/// Asks one thread, which may sleep in poll(2), to give up what it is doing.
///
/// Threads: request() from any thread; the thread that is asked polls `wake().fd()` beside its own descriptors.
class StopRequest {
 public:
  void request() {
    requested_.store(true, std::memory_order_release);
    wake_.notify();
  }
  bool requested() const { return requested_.load(std::memory_order_acquire); }
  const WakeFd& wake() const { return wake_; }

 private:
  std::atomic<bool> requested_{false};
  WakeFd wake_;
};

}  // namespace walcat
