#include "output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "walcat/base/owned_fd.h"

namespace walcat {

namespace {

using Block = std::array<char, 65536>;

constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK;

// Bytes.
constexpr off_t kMostUnsynced = off_t{16} << 20;

// Where the last whole line of the file ends.
Result<off_t> end_of_last_line(int fd, off_t size) {
  Block block;
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

// Both descriptors keep their places for others: `from` is read at `begin`, `to` is appended to. It is synced on the
// way, so that an interruption does not have to wait for a disk that has much to store.
int append_range(int from, off_t begin, off_t end, const OutputFile& to, const std::atomic<bool>& interrupted) {
  Block block;
  for (off_t synced = begin; begin < end;) {
    if (begin - synced >= kMostUnsynced) {
      if (const int error = to.sync()) return error;
      synced = begin;
    }
    const auto most = std::min<off_t>(end - begin, static_cast<off_t>(block.size()));
    const ssize_t got = ::pread(from, block.data(), static_cast<std::size_t>(most), begin);
    if (got == 0) break;
    const ssize_t written = got < 0 ? -1 : ::write(to.fd(), block.data(), static_cast<std::size_t>(got));
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) begin += written;
    if (begin < end && interrupted.load(std::memory_order_relaxed)) return ECANCELED;
  }
  return to.sync();
}

// Rights of a group are meant for the predecessor's: where the new file can't have that group, they are dropped.
int inherit_access(int fd, int predecessor) {
  struct stat old{};
  if (::fstat(predecessor, &old) != 0) return errno;
  mode_t mode = old.st_mode & 0777;
  if (::fchown(fd, old.st_uid, old.st_gid) != 0 && ::fchown(fd, static_cast<uid_t>(-1), old.st_gid) != 0) {
    mode &= ~static_cast<mode_t>(S_IRWXG);
  }
  return ::fchmod(fd, mode) == 0 ? 0 : errno;
}

Status unfit(const std::string& name, std::string_view what) {
  return {StatusCode::kOutputFailed, fmt::format("output {}: {}", name, what)};
}

Status is_a_link(const std::string& name, const std::string& place) {
  return unfit(name, fmt::format("{} has become a symbolic link, which is followed only at the start; hint: remove it, "
                                 "or set output.path to where it leads, and start walcat again",
                                 place));
}

std::string folder_of(const std::filesystem::path& place) {
  const std::string folder = place.parent_path().string();
  return folder.empty() ? "." : folder;
}

// The folder that was opened must be the one of that name, and not one that a symbolic link leads to.
Status check_folder(int folder, const std::filesystem::path& place, const std::string& name) {
  const std::string found = path_of(folder);
  if (!place.is_absolute() || found.empty() || found == folder_of(place)) return Status::ok();
  return unfit(name,
               fmt::format("its folder {} has become a symbolic link, and leads to {}; hint: put a folder there, or "
                           "set output.path to where it leads, and start walcat again",
                           folder_of(place), found));
}

// What somebody else has put there stays as it is, and no line is glued to half a one.
Status check_found(int fd, const std::string& name) {
  struct stat state{};
  if (::fstat(fd, &state) != 0) return output_error(name, errno);
  if (state.st_nlink > 1) {
    return unfit(
        name, "what has been put there has another name, too (a hard link); hint: remove it, and a new file is made");
  }
  const auto end = end_of_last_line(fd, state.st_size);
  if (!end.is_ok()) return end.status().with_context("output " + name);
  if (*end == state.st_size) return Status::ok();
  return unfit(name, "what has been put there ends in the middle of a line; hint: remove it, and a new file is made");
}

}  // namespace

Status output_error(const std::string& name, int error) {
  const std::string reason = std::generic_category().message(error);
  if (error == EPIPE) {
    return {StatusCode::kOutputFailed, fmt::format("output {}: the reader closed the pipe ({})", name, reason)};
  }
  return {StatusCode::kOutputFailed, fmt::format("output {}: {}", name, reason)};
}

// Reading is needed to look for a torn line.
Result<std::shared_ptr<OutputFile>> OutputFile::open(const std::string& path) {
  int fd = ::open(path.c_str(), kFlags);
  if (fd < 0 && errno == ENOENT) fd = ::open(path.c_str(), kFlags | O_CREAT, 0644);
  if (fd < 0) return output_error(path, errno);
  const std::string found = path_of(fd);
  const bool is_found = !found.empty() && place_of(fd, found) == FilePlace::kInPlace;
  std::shared_ptr<OutputFile> file(new OutputFile(fd, path, is_found ? found : path));
  if (Status locked = file->lock(); !locked.is_ok()) return locked;
  struct stat state{};
  if (::fstat(fd, &state) != 0) return output_error(path, errno);
  if (const Status cut = cut_torn_line(fd, path, state.st_size); !cut.is_ok()) return cut;
  // Some file systems have no such thing.
  static_cast<void>(sync_folder_of(file->place_));
  return file;
}

Result<std::shared_ptr<OutputFile>> OutputFile::open_next() const {
  const std::filesystem::path place(place_);
  const OwnedFd folder(::open(folder_of(place).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0) return output_error(name_, errno);
  if (Status same = check_folder(folder.get(), place, name_); !same.is_ok()) return same;
  const std::string last = place.filename().string();
  // Only what this very call has made is given away.
  int fd = ::openat(folder.get(), last.c_str(), kFlags | O_NOFOLLOW);
  const bool is_new = fd < 0 && errno == ENOENT;
  if (is_new) fd = ::openat(folder.get(), last.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
  if (fd < 0) return errno == ELOOP ? is_a_link(name_, place_) : output_error(name_, errno);
  std::shared_ptr<OutputFile> file(new OutputFile(fd, name_, place_));
  if (Status locked = file->lock(); !locked.is_ok()) return locked;
  if (is_new) {
    if (const int error = inherit_access(fd, fd_)) return output_error(name_, error);
  } else if (Status fit = check_found(fd, name_); !fit.is_ok()) {
    return fit;
  }
  static_cast<void>(sync_folder_of(place_));
  return file;
}

Status OutputFile::lock() const {
  struct stat state{};
  if (::fstat(fd_, &state) != 0) return output_error(name_, errno);
  if (!S_ISREG(state.st_mode)) return unfit(name_, "not a regular file");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) return unfit(name_, "another process is writing to it");
  return Status::ok();
}

std::shared_ptr<OutputFile> OutputFile::of_stdout() {
  return std::shared_ptr<OutputFile>(new OutputFile(STDOUT_FILENO, "stdout", ""));
}

OutputFile::~OutputFile() {
  if (has_path_) ::close(fd_);
}

FilePlace OutputFile::place() const {
  if (has_path_) return place_of(fd_, place_);
  struct stat state{};
  return ::fstat(fd_, &state) == 0 && state.st_nlink == 0 ? FilePlace::kDeleted : FilePlace::kInPlace;
}

int OutputFile::sync() const { return ::fdatasync(fd_) == 0 || errno == EINVAL || errno == EROFS ? 0 : errno; }

Status OutputFile::take_over(const OutputFile& deleted, std::uint64_t bytes, const std::atomic<bool>& interrupted) {
  struct stat state{};
  if (::fstat(fd_, &state) != 0) return output_error(name_, errno);
  // Appending leaves the descriptor's place behind what was appended.
  const off_t end = ::lseek(deleted.fd_, 0, SEEK_CUR);
  const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(bytes));
  const int error = append_range(deleted.fd_, begin, end, *this, interrupted);
  if (error == 0) return Status::ok();
  if (::ftruncate(fd_, state.st_size) != 0) return output_error(name_, errno);
  if (error == ECANCELED) {
    return {StatusCode::kStopped, fmt::format("output {}: stopped while the last {} bytes of the deleted file were "
                                              "written again; the next run prints them",
                                              name_, bytes)};
  }
  if (error == ENOSPC) ::fallocate(deleted.fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, begin);
  return output_error(name_, error);
}

}  // namespace walcat
