#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "walcat/base/log.h"
#include "walcat/queue/stop_request.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/reader/options.h"

namespace walcat {

/// Has forgotten slots dropped (`inactive_slot_check`), once in a run, from beside the stream, which does not wait for
/// it.
///
/// Threads: stage-bound (reader); it has a thread of its own for its one look.
class SlotCheck {
 public:
  /// Borrows `options`, and `news`, which it notifies once it is over.
  SlotCheck(const DatabaseOptions& options, const WakeFd& news, log::Logger logger);
  /// Stops it.
  ~SlotCheck();
  SlotCheck(const SlotCheck&) = delete;
  SlotCheck& operator=(const SlotCheck&) = delete;

  /// Begins the look at the server of the stream, if it is wanted and was not begun before.
  void begin(const std::string& system_identifier);
  /// Whether nothing is under way.
  bool is_over() const { return is_over_.load(std::memory_order_acquire); }
  /// Gives up what is under way.
  void stop() { stop_.request(); }

 private:
  void look(const std::string& system_identifier);

  const DatabaseOptions& options_;
  const WakeFd& news_;
  const log::Logger logger_;
  StopRequest stop_;
  bool is_begun_ = false;
  std::atomic<bool> is_over_{true};
  std::thread thread_;
};

}  // namespace walcat
