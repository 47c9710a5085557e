#include "report_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace walcat {

namespace {

int make(const std::string& path) {
  return ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

}  // namespace

bool ReportFile::prepare() {
  struct stat about{};
  if (::stat(path_.c_str(), &about) == 0) {
    found_ = about;
    if (S_ISDIR(about.st_mode)) errno = EISDIR;
    return !S_ISDIR(about.st_mode) && ::access(path_.c_str(), W_OK) == 0;
  }
  const int fd = make(path_);
  if (fd < 0) return false;
  ::close(fd);
  return ::unlink(path_.c_str()) == 0;
}

int ReportFile::open() const {
  const int fd = found_ ? ::open(path_.c_str(), O_WRONLY | O_CLOEXEC) : -1;
  if (!found_ || (fd < 0 && errno == ENOENT)) return make(path_);
  if (fd < 0) return fd;
  struct stat about{};
  const bool is_same = ::fstat(fd, &about) == 0 && about.st_dev == found_->st_dev && about.st_ino == found_->st_ino;
  if (is_same && (!S_ISREG(about.st_mode) || ::ftruncate(fd, 0) == 0)) return fd;
  const int reason = is_same ? errno : EEXIST;
  ::close(fd);
  errno = reason;
  return -1;
}

bool ReportFile::leave(const std::string& text) const {
  const int fd = open();
  std::FILE* file = fd < 0 ? nullptr : ::fdopen(fd, "w");
  if (file == nullptr) return false;
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  return std::fclose(file) == 0 && is_written;
}

}  // namespace walcat
