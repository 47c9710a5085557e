#include "fd_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <utility>

#include "output_file.h"
#include "remainder.h"

namespace walcat {

FdSink::FdSink(int fd, bool owned, Kind kind, std::string name)
    : fd_(fd), owned_(owned), kind_(kind), name_(std::move(name)), room_(fd) {}

FdSink::~FdSink() {
  if (owned_) ::close(fd_);
}

Status FdSink::write(std::span<const iovec> parts, std::size_t& accepted) {
  accepted = 0;
  bool was_full = false;
  const auto began = std::chrono::steady_clock::now();
  Remainder rest(parts);
  while (rest.load()) {
    if (interrupted_.load(std::memory_order_relaxed)) return {StatusCode::kStopped, "output interrupted"};
    bool is_writable = kind_ != Kind::kShared;
    if (const Status ready = is_writable ? Status::ok() : wait_writable(is_writable); !ready.is_ok()) return ready;
    if (!is_writable) continue;
    const ssize_t written = write_some(rest.window(), rest.count());
    if (written >= 0) {
      accepted += static_cast<std::size_t>(written);
      rest.advance(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return output_error(name_, errno);
    was_full = true;
    if (const Status ready = wait_writable(is_writable); !ready.is_ok()) return ready;
  }
  if (was_full) room_.was_full(accepted, std::chrono::steady_clock::now() - began);
  return Status::ok();
}

ssize_t FdSink::write_some(const iovec* parts, int count) const {
  if (kind_ == Kind::kStream) return ::writev(fd_, parts, count);
  // What poll(2) says is room takes so much without blocking.
  if (kind_ == Kind::kShared) return ::write(fd_, parts->iov_base, std::min<std::size_t>(parts->iov_len, PIPE_BUF));
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

// It wakes for an interruption as well.
Status FdSink::wait_writable(bool& is_writable) {
  std::array<pollfd, 2> fds{{{fd_, POLLOUT, 0}, {wake_.fd(), POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return output_error(name_, errno);
  is_writable = fds[0].revents != 0;
  return Status::ok();
}

void FdSink::interrupt() {
  interrupted_.store(true, std::memory_order_relaxed);
  wake_.notify();
}

}  // namespace walcat
