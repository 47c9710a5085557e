#include "walcat/base/file_place.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>

namespace walcat {

namespace {

// NFS keeps a deleted file that is open under a name such as .nfs0000000000b1a2c300000001.
bool is_silly_renamed(int fd) {
  const std::string name = std::filesystem::path(path_of(fd)).filename().string();
  return name.size() == 28 && name.starts_with(".nfs") &&
         name.find_first_not_of("0123456789abcdef", 4) == std::string::npos;
}

}  // namespace

std::string path_of(int fd) {
  std::error_code unknown;
  return std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd), unknown).string();
}

FilePlace place_of(int fd, const std::string& path) {
  struct stat opened{};
  if (::fstat(fd, &opened) != 0) return FilePlace::kInPlace;
  if (opened.st_nlink == 0) return FilePlace::kDeleted;
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) {
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) return FilePlace::kInPlace;
  } else if (found.st_dev == opened.st_dev && found.st_ino == opened.st_ino) {
    return FilePlace::kInPlace;
  }
  return is_silly_renamed(fd) ? FilePlace::kDeleted : FilePlace::kMoved;
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
