#pragma once

#include <chrono>
#include <cstddef>

namespace walcat {

/// Fits a pipe to its reader: one that reads quickly is given more room, so that both are woken less often; from one
/// that does not, it is taken away again, so that what is new does not wait behind what is old.
///
/// Threads: stage-bound (writer).
class PipeRoom {
 public:
  using Duration = std::chrono::steady_clock::duration;

  /// What is no pipe is left alone.
  explicit PipeRoom(int fd);

  /// The pipe has taken `bytes` in `time`, and was full in between.
  void was_full(std::size_t bytes, Duration time);

 private:
  const int fd_;
  /// Bytes; 0: no pipe.
  const int usual_;
  bool is_large_ = false;
  std::size_t bytes_ = 0;
  Duration time_{0};
};

}  // namespace walcat
