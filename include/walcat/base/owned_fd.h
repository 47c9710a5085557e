#pragma once

#include <unistd.h>

namespace walcat {

/// A file descriptor that is closed at the end of its scope.
class OwnedFd {
 public:
  /// `fd`: below zero is none.
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;

  int get() const { return fd_; }

 private:
  const int fd_;
};

}  // namespace walcat
