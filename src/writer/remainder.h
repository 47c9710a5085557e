#pragma once

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace walcat {

/// The parts of a write that are left after some bytes of it, as many at a time as a system call takes.
///
/// Ownership: views the parts.
class Remainder {
 public:
  explicit Remainder(std::span<const iovec> parts) : parts_(parts) {}

  /// Points `window()` at what is left; false if nothing is.
  bool load() {
    while (next_ < parts_.size() && parts_[next_].iov_len == into_) ++next_, into_ = 0;
    count_ = 0;
    for (std::size_t i = next_; i < parts_.size() && count_ < window_.size(); ++i) window_[count_++] = parts_[i];
    if (count_ == 0) return false;
    window_[0].iov_base = static_cast<char*>(window_[0].iov_base) + into_;
    window_[0].iov_len -= into_;
    return true;
  }
  const iovec* window() const { return window_.data(); }
  int count() const { return static_cast<int>(count_); }

  void advance(std::size_t bytes) {
    while (bytes > 0) {
      const std::size_t step = std::min(bytes, parts_[next_].iov_len - into_);
      into_ += step;
      bytes -= step;
      if (into_ == parts_[next_].iov_len) ++next_, into_ = 0;
    }
  }

 private:
  std::span<const iovec> parts_;
  std::size_t next_ = 0;
  std::size_t into_ = 0;
  std::array<iovec, 256> window_{};
  std::size_t count_ = 0;
};

}  // namespace walcat
