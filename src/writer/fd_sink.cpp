#include "fd_sink.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <system_error>
#include <utility>

#include "walcat/base/log.h"

namespace walcat {

namespace {

constexpr const char* kStdout = "stdout";
constexpr std::chrono::milliseconds kFullDiskWait{1'000};
constexpr std::chrono::seconds kComplaintInterval{30};

bool is_disk_full(int error) { return error == ENOSPC || error == EDQUOT; }

Status output_error(const std::string& name, int error) {
  const std::string reason = std::generic_category().message(error);
  if (error == EPIPE) {
    return {StatusCode::kOutputFailed, fmt::format("output {}: the reader closed the pipe ({})", name, reason)};
  }
  return {StatusCode::kOutputFailed, fmt::format("output {}: {}", name, reason)};
}

// The parts that are left after `accepted` bytes, at most IOV_MAX of them.
class Remainder {
 public:
  explicit Remainder(std::span<const iovec> parts) : parts_(parts) {}

  // Points `window()` at what is left; false if nothing is.
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

// Where the last whole line of the file ends.
Result<off_t> end_of_last_line(int fd, off_t size) {
  std::array<char, 65536> block;
  for (off_t end = size; end > 0;) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(block.size()));
    const ssize_t got = ::pread(fd, block.data(), static_cast<std::size_t>(end - begin), begin);
    if (got != end - begin) return Status(StatusCode::kOutputFailed, std::generic_category().message(errno));
    const void* newline = ::memrchr(block.data(), '\n', static_cast<std::size_t>(got));
    if (newline != nullptr) return begin + (static_cast<const char*>(newline) - block.data()) + 1;
    end = begin;
  }
  return off_t{0};
}

// A crash can leave half a line behind; what follows it would be lost inside it.
Status cut_torn_line(int fd, const std::string& path, off_t size) {
  const auto end = end_of_last_line(fd, size);
  if (!end.is_ok()) return end.status().with_context("output " + path);
  if (*end < size && ::ftruncate(fd, *end) != 0) return output_error(path, errno);
  return Status::ok();
}

Result<std::unique_ptr<Sink>> open_file(const std::string& path) {
  // Reading is needed to look for a torn line; pipes and devices are only ever written.
  struct stat state{};
  const bool special = ::stat(path.c_str(), &state) == 0 && !S_ISREG(state.st_mode);
  const int access = special ? O_WRONLY : O_RDWR;
  const int fd = ::open(path.c_str(), access | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return output_error(path, errno);
  auto sink = std::make_unique<FdSink>(fd, true, special ? FdSink::Kind::kStream : FdSink::Kind::kFile, path);
  if (special) {
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    return std::unique_ptr<Sink>(std::move(sink));
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    return Status(StatusCode::kOutputFailed, fmt::format("output {}: another process is writing to it", path));
  }
  if (::fstat(fd, &state) != 0) return output_error(path, errno);
  if (const Status cut = cut_torn_line(fd, path, state.st_size); !cut.is_ok()) return cut;
  return std::unique_ptr<Sink>(std::move(sink));
}

// Others share our stdout, a shell for one, so its own flags are left alone: a second opening of the same pipe or
// terminal is set not to block. Where that is refused, writes block until the reader reads.
Result<std::unique_ptr<Sink>> open_stdout() {
  struct stat state{};
  if (::fstat(STDOUT_FILENO, &state) != 0) return output_error(kStdout, errno);
  if (S_ISREG(state.st_mode)) {
    return std::unique_ptr<Sink>(std::make_unique<FdSink>(STDOUT_FILENO, false, FdSink::Kind::kFile, kStdout));
  }
  if (S_ISSOCK(state.st_mode)) {
    return std::unique_ptr<Sink>(std::make_unique<FdSink>(STDOUT_FILENO, false, FdSink::Kind::kSocket, kStdout));
  }
  const int own = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const int fd = own >= 0 ? own : STDOUT_FILENO;
  return std::unique_ptr<Sink>(std::make_unique<FdSink>(fd, own >= 0, FdSink::Kind::kStream, kStdout));
}

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(const WriterOptions& options) {
  return options.path.empty() ? open_stdout() : open_file(options.path);
}

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
    if (const int failed = sync_error_.load(std::memory_order_relaxed)) return output_error(name_, failed);
    const ssize_t written = write_some(rest.window(), rest.count());
    if (written >= 0) {
      accepted += static_cast<std::size_t>(written);
      rest.advance(static_cast<std::size_t>(written));
      continue;
    }
    if (errno == EINTR) continue;
    if (is_disk_full(errno) && kind_ == Kind::kFile) {
      wait_for_space(errno);
      continue;
    }
    if (errno != EAGAIN) return output_error(name_, errno);
    was_full = true;
    if (const Status ready = wait_writable(); !ready.is_ok()) return ready;
  }
  if (was_full) room_.was_full(accepted, std::chrono::steady_clock::now() - began);
  if (std::exchange(is_full_, false))
    log::write(log::Level::kInfo, "", "output " + name_ + ": the disk has room again");
  return Status::ok();
}

// What was taken stays, and the next byte follows it: half a line is whole in the end.
void FdSink::wait_for_space(int error) {
  const auto now = std::chrono::steady_clock::now();
  if (!is_full_ || now >= next_complaint_) {
    const Status full = output_error(name_, error);
    errors.note(full, FaultKind::kOutput);
    log::write(log::Level::kWarning, "", full.message() + "; waiting for room, nothing is lost");
    next_complaint_ = now + kComplaintInterval;
  }
  is_full_ = true;
  pollfd wake{wake_.fd(), POLLIN, 0};
  ::poll(&wake, 1, static_cast<int>(kFullDiskWait.count()));
}

ssize_t FdSink::write_some(const iovec* parts, int count) const {
  if (kind_ != Kind::kSocket) return ::writev(fd_, parts, count);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

Status FdSink::wait_writable() {
  std::array<pollfd, 2> fds{{{fd_, POLLOUT, 0}, {wake_.fd(), POLLIN, 0}}};
  if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return output_error(name_, errno);
  return Status::ok();
}

Status FdSink::sync() {
  if (kind_ != Kind::kFile) return Status::ok();
  const int failed = sync_error_.load(std::memory_order_relaxed);
  if (failed == 0 && (::fdatasync(fd_) == 0 || errno == EINVAL || errno == EROFS)) return Status::ok();
  // The system may have dropped what it could not store, and a second attempt would know nothing of it.
  if (failed == 0) sync_error_.store(errno, std::memory_order_relaxed);
  return output_error(name_, sync_error_.load(std::memory_order_relaxed));
}

void FdSink::interrupt() {
  interrupted_.store(true, std::memory_order_relaxed);
  wake_.notify();
}

}  // namespace walcat
