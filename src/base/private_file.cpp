#include "walcat/base/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "walcat/base/file_place.h"
#include "walcat/base/owned_fd.h"

namespace walcat {

namespace {

std::optional<FileFault> fault_of(const char* step) { return FileFault{step, errno}; }

bool read_all(int fd, std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(fd, text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return false;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return true;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::optional<FileFault> write_new_file(const std::string& path, std::string_view text) {
  const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return fault_of("open");
  if (!write_all(file.get(), text)) return fault_of("write");
  if (::fsync(file.get()) != 0) return fault_of("fsync");
  return std::nullopt;
}

}  // namespace

std::optional<FileFault> read_regular_file(const std::string& path, std::size_t most, std::string& text,
                                           bool& is_there) {
  is_there = true;
  const OwnedFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0) {
    is_there = errno != ENOENT;
    return is_there ? fault_of("open") : std::nullopt;
  }
  struct stat about{};
  if (::fstat(file.get(), &about) != 0) return fault_of("stat");
  if (!S_ISREG(about.st_mode)) return FileFault{"not a regular file", 0};
  const auto size = static_cast<std::size_t>(about.st_size);
  if (size > most) return FileFault{fmt::format("{} bytes, where at most {} make sense", size, most), 0};
  text.assign(size, '\0');
  return read_all(file.get(), text) ? std::nullopt : fault_of("read");
}

std::string temporary_path(const std::string& path) { return path + ".tmp"; }

std::optional<FileFault> replace_private_file(const std::string& path, std::string_view text) {
  const std::string temporary = temporary_path(path);
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) return fault_of("unlink of the .tmp beside it");
  if (auto fault = write_new_file(temporary, text)) return fault;
  if (::rename(temporary.c_str(), path.c_str()) != 0) return fault_of("rename");
  if (!sync_folder_of(path)) return fault_of("fsync of the folder");
  return std::nullopt;
}

}  // namespace walcat
