#include "walcat/base/file_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace walcat {

FilePlace place_of(int fd, const std::string& path) {
  struct stat opened{};
  if (::fstat(fd, &opened) != 0) return FilePlace::kInPlace;
  if (opened.st_nlink == 0) return FilePlace::kDeleted;
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) {
    const bool is_nowhere = errno == ENOENT || errno == ENOTDIR || errno == ELOOP;
    return is_nowhere ? FilePlace::kMoved : FilePlace::kInPlace;
  }
  const bool is_same = found.st_dev == opened.st_dev && found.st_ino == opened.st_ino;
  return is_same ? FilePlace::kInPlace : FilePlace::kMoved;
}

bool sync_folder_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  const bool is_synced = ::fsync(folder) == 0;
  const int error = errno;
  ::close(folder);
  errno = error;
  return is_synced;
}

}  // namespace walcat
