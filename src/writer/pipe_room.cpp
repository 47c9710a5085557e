#include "pipe_room.h"

#include <fcntl.h>

#include <algorithm>
#include <utility>

namespace walcat {

namespace {

// What every user may have.
constexpr int kLarge = 1 << 20;
// Bytes that are looked at together.
constexpr std::size_t kLook = std::size_t{4} << 20;
// Bytes a second above which a reader is quick, and below which it is slow: a large pipe holds it up 16 ms then.
constexpr double kQuick = 256e6;
constexpr double kSlow = 64e6;

}  // namespace

PipeRoom::PipeRoom(int fd) : fd_(fd), usual_(std::max(0, ::fcntl(fd, F_GETPIPE_SZ))) {}

void PipeRoom::was_full(std::size_t bytes, Duration time) {
  if (usual_ == 0 || usual_ >= kLarge) return;
  bytes_ += bytes;
  time_ += time;
  if (bytes_ < kLook && time_ < std::chrono::seconds(1)) return;
  const double rate = static_cast<double>(std::exchange(bytes_, 0)) /
                      std::chrono::duration<double>(std::exchange(time_, Duration(0))).count();
  if (!is_large_ && rate > kQuick) is_large_ = ::fcntl(fd_, F_SETPIPE_SZ, kLarge) >= 0;
  // Refused while more is in it: then the next time.
  if (is_large_ && rate < kSlow) is_large_ = ::fcntl(fd_, F_SETPIPE_SZ, usual_) < 0;
}

}  // namespace walcat
