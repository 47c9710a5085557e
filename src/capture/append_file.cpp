#include "append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "block_file.h"
#include "crc32c.h"
#include "record_bytes.h"
#include "walcat/base/file_place.h"
#include "walcat/base/log.h"
#include "walcat/capture/format.h"

namespace walcat {

namespace {

bool write_all(int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return true;
}

// Rows are in it, masked nowhere: what was made with rights for everybody loses these.
void keep_others_out(int fd, const struct stat& about, const std::string& path) {
  if ((about.st_mode & S_IRWXO) == 0) return;
  const mode_t mode = about.st_mode & (S_IRWXU | S_IRWXG);
  const bool is_done = ::fchmod(fd, mode) == 0;
  log::write(log::Level::kWarning, "",
             fmt::format("capture file {}: everybody had rights to it (mode {:04o}); {}", path, about.st_mode & 07777,
                         is_done ? fmt::format("it is {:04o} now", mode) : "they could not be taken away"));
}

// Whoever may write the folder could have any file made, or filled, that walcat may.
Status is_not_begun_by_link(const std::string& path) {
  return capture_fault(path, "a symbolic link that leads to no capture; hint: remove it, or name the file it leads to");
}

// A full disk is waited for: another try may find room.
Status unwritten(const std::string& path, const char* step) {
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  const Status failed = capture_failed(path, step);
  return is_full ? Status(StatusCode::kUnavailable, failed.message()) : failed;
}

}  // namespace

Result<std::unique_ptr<AppendFile>> AppendFile::open(const std::string& path) {
  constexpr int kFlags = O_RDWR | O_NONBLOCK | O_CLOEXEC;
  int fd = ::open(path.c_str(), kFlags | O_NOFOLLOW);
  const bool is_link = fd < 0 && errno == ELOOP;
  if (is_link) fd = ::open(path.c_str(), kFlags);
  if (is_link && fd < 0 && errno == ENOENT) return is_not_begun_by_link(path);
  if (!is_link && fd < 0 && errno == ENOENT) fd = ::open(path.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd < 0) return unwritten(path, "open");
  std::unique_ptr<AppendFile> file(new AppendFile(path, fd, is_link));
  if (Status prepared = file->prepare(); !prepared.is_ok()) return prepared;
  return file;
}

Result<std::unique_ptr<AppendFile>> AppendFile::create(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return unwritten(path, "open");
  std::unique_ptr<AppendFile> file(new AppendFile(path, fd));
  Status prepared = file->prepare();
  if (prepared.is_ok()) return file;
  ::unlink(path.c_str());
  return prepared;
}

AppendFile::~AppendFile() { ::close(fd_); }

Status AppendFile::prepare() {
  struct stat about{};
  if (::fstat(fd_, &about) != 0) return capture_failed(path_, "stat");
  if (!S_ISREG(about.st_mode)) return capture_fault(path_, "not a regular file");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? capture_fault(path_, "somebody else writes it") : capture_failed(path_, "lock");
  }
  // It may have grown until it was locked.
  if (::fstat(fd_, &about) != 0) return capture_failed(path_, "stat");
  const auto size = static_cast<std::uint64_t>(about.st_size);
  bytes_cut_ = size;
  std::uint32_t version = 0;
  const auto header = check_file_header(path_, fd_, size, version);
  if (!header.is_ok()) return header.status();
  const bool is_begun = *header != Wholeness::kTorn;
  if (!is_begun && is_link_) return is_not_begun_by_link(path_);
  if (is_begun) {
    if (Status found = find_end(); !found.is_ok()) return found;
  }
  // It is ours: nothing of another file is changed.
  keep_others_out(fd_, about, path_);
  if (!is_begun) return begin();
  if (bytes_cut_ > 0 && ::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return capture_failed(path_, "truncate");
  if (version < kCaptureVersion) {
    if (Status written = write_header(); !written.is_ok()) return written;
  }
  return Status::ok();
}

// From block to block; of the last one it matters whether it is whole.
Status AppendFile::find_end() {
  const std::uint64_t size = bytes_cut_;
  end_ = kCaptureFileHeader;
  while (end_ < size) {
    const auto block = find_block(path_, fd_, end_, size);
    if (!block.is_ok()) return block.status();
    if (block->wholeness == Wholeness::kTorn) break;
    if (block->end() == size) {
      std::string payload(block->payload_size, '\0');
      const auto got = read_at(path_, fd_, block->payload_at, payload.data(), payload.size());
      if (!got.is_ok()) return got.status();
      const auto checked = check_payload(path_, *block, size, std::string_view(payload).substr(0, *got));
      if (!checked.is_ok()) return checked.status();
      if (*checked == Wholeness::kTorn) break;
    }
    end_ = block->end();
  }
  bytes_cut_ = size - end_;
  return Status::ok();
}

Status AppendFile::begin() {
  if (::ftruncate(fd_, 0) != 0) return capture_failed(path_, "truncate");
  if (Status written = write_header(); !written.is_ok()) return written;
  if (!sync_folder_of(path_)) return capture_failed(path_, "fsync of the folder");
  end_ = kCaptureFileHeader;
  return Status::ok();
}

Status AppendFile::write_header() {
  std::string header(kCaptureMagic);
  put_u32(header, kCaptureVersion);
  put_u32(header, crc32c(header));
  return write_all(fd_, header, 0) ? Status::ok() : unwritten(path_, "write");
}

// What a full disk took of it is written over by the next try.
Status AppendFile::append(std::string_view block) {
  if (!write_all(fd_, block, end_)) return unwritten(path_, "write");
  end_ += block.size();
  return Status::ok();
}

// A file that was moved is found where it was moved to.
Status AppendFile::sync() {
  if (::fdatasync(fd_) != 0) return capture_failed(path_, "fsync");
  const FilePlace place = place_of(fd_, path_);
  if (place == FilePlace::kDeleted) {
    return capture_fault(path_, "the file was deleted while it was written; hint: start again, which makes a new one");
  }
  if (place == FilePlace::kMoved && !std::exchange(is_moved_, true)) {
    log::write(
        log::Level::kWarning, "",
        fmt::format("capture file {}: it was moved, and is written where it is now, until the next start", path_));
  }
  return Status::ok();
}

}  // namespace walcat
