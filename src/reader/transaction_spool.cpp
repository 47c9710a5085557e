#include "transaction_spool.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <utility>

namespace walcat {

namespace {

constexpr std::size_t kHeader = sizeof(std::uint32_t);
constexpr std::size_t kReadAhead = 256 << 10;

Status failed(const std::string& directory, const char* step, int reason) {
  return Status(StatusCode::kUnavailable,
                fmt::format("spool in {}: {}: {}", directory, step, std::generic_category().message(reason)))
      .with_kind(FaultKind::kOutput);
}

}  // namespace

TransactionSpool::TransactionSpool(TransactionSpool&& other) noexcept
    : directory_(std::move(other.directory_)),
      fd_(std::exchange(other.fd_, -1)),
      file_size_(std::exchange(other.file_size_, 0)),
      memory_(std::move(other.memory_)),
      read_at_(other.read_at_),
      buffer_(std::move(other.buffer_)),
      buffer_at_(other.buffer_at_) {}

TransactionSpool::~TransactionSpool() {
  if (fd_ >= 0) ::close(fd_);
}

void TransactionSpool::append(std::string_view head, std::string_view rest) {
  const auto size = static_cast<std::uint32_t>(head.size() + rest.size());
  memory_.append(reinterpret_cast<const char*>(&size), kHeader);
  memory_.append(head);
  memory_.append(rest);
}

Status TransactionSpool::open() {
  fd_ = ::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd_ >= 0) return Status::ok();
  // Not every file system has files without a name.
  std::string name = directory_ + "/walcat-spool-XXXXXX";
  fd_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) return failed(directory_, "create a file", errno);
  ::unlink(name.c_str());
  return Status::ok();
}

Status TransactionSpool::spill() {
  if (fd_ < 0) {
    if (Status opened = open(); !opened.is_ok()) return opened;
  }
  std::size_t done = 0;
  int reason = 0;
  while (done < memory_.size() && reason == 0) {
    const auto written =
        ::pwrite(fd_, memory_.data() + done, memory_.size() - done, static_cast<off_t>(file_size_ + done));
    if (written > 0) done += static_cast<std::size_t>(written);
    if (written == 0) reason = ENOSPC;
    if (written < 0 && errno != EINTR) reason = errno;
  }
  file_size_ += done;
  if (reason == 0) {
    std::string().swap(memory_);
    return Status::ok();
  }
  memory_.erase(0, done);
  return failed(directory_, "write", reason);
}

Status TransactionSpool::truncate(std::uint64_t offset) {
  if (offset >= file_size_) {
    memory_.resize(offset - file_size_);
    return Status::ok();
  }
  memory_.clear();
  if (::ftruncate(fd_, static_cast<off_t>(offset)) != 0) return failed(directory_, "truncate", errno);
  file_size_ = offset;
  return Status::ok();
}

Status TransactionSpool::read_file(std::uint64_t offset, std::size_t bytes, char* to) const {
  for (std::size_t done = 0; done < bytes;) {
    const auto got = ::pread(fd_, to + done, bytes - done, static_cast<off_t>(offset + done));
    if (got > 0) done += static_cast<std::size_t>(got);
    if (got == 0) return failed(directory_, "read", EIO);
    if (got < 0 && errno != EINTR) return failed(directory_, "read", errno);
  }
  return Status::ok();
}

// Makes sure that so many bytes are in the buffer, from buffer_at_ on.
Status TransactionSpool::fill(std::size_t bytes) {
  const std::size_t held = buffer_.size() - buffer_at_;
  if (held >= bytes) return Status::ok();
  if (held == 0) {
    // A large frame leaves no room behind.
    std::string().swap(buffer_);
  } else {
    buffer_.erase(0, buffer_at_);
  }
  buffer_at_ = 0;
  const std::uint64_t wanted = std::max(bytes, kReadAhead) - held;
  const std::uint64_t from_file = std::min(wanted, file_size_ - std::min(read_at_, file_size_));
  buffer_.resize(held + from_file);
  if (from_file > 0) {
    if (Status read = read_file(read_at_, from_file, buffer_.data() + held); !read.is_ok()) return read;
  }
  read_at_ += from_file;
  if (from_file < wanted && read_at_ >= file_size_) {
    const std::uint64_t at = read_at_ - file_size_;
    const std::uint64_t from_memory = std::min<std::uint64_t>(wanted - from_file, memory_.size() - at);
    buffer_.append(memory_, at, from_memory);
    read_at_ += from_memory;
  }
  if (buffer_.size() >= bytes) return Status::ok();
  return {StatusCode::kInternal, fmt::format("spool in {}: a frame is cut", directory_)};
}

Result<std::optional<std::string_view>> TransactionSpool::next() {
  if (buffer_at_ == buffer_.size() && read_at_ == size()) {
    std::string().swap(buffer_);
    buffer_at_ = 0;
    return std::optional<std::string_view>();
  }
  if (Status filled = fill(kHeader); !filled.is_ok()) return filled;
  std::uint32_t bytes = 0;
  std::memcpy(&bytes, buffer_.data() + buffer_at_, kHeader);
  if (Status filled = fill(kHeader + bytes); !filled.is_ok()) return filled;
  const std::string_view frame(buffer_.data() + buffer_at_ + kHeader, bytes);
  buffer_at_ += kHeader + bytes;
  return std::optional(frame);
}

Result<std::string> TransactionSpool::frame_at(std::uint64_t offset) {
  const auto read = [&](std::uint64_t at, std::size_t bytes, char* to) {
    if (at < file_size_) {
      const auto from_file = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, file_size_ - at));
      if (Status got = read_file(at, from_file, to); !got.is_ok()) return got;
      at += from_file;
      to += from_file;
      bytes -= from_file;
    }
    if (bytes > 0) std::memcpy(to, memory_.data() + (at - file_size_), bytes);
    return Status::ok();
  };
  std::uint32_t bytes = 0;
  if (Status got = read(offset, kHeader, reinterpret_cast<char*>(&bytes)); !got.is_ok()) return got;
  std::string frame(bytes, '\0');
  if (Status got = read(offset + kHeader, bytes, frame.data()); !got.is_ok()) return got;
  return frame;
}

}  // namespace walcat
