#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "fd_sink.h"
#include "file_sink.h"
#include "output_file.h"
#include "walcat/writer/sink.h"

namespace walcat {

namespace {

constexpr const char* kStdout = "stdout";

// Pipes and devices are only ever written.
Result<std::unique_ptr<Sink>> open_special(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return output_error(path, errno);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return std::unique_ptr<Sink>(std::make_unique<FdSink>(fd, true, FdSink::Kind::kStream, path));
}

Result<std::unique_ptr<Sink>> open_path(const std::string& path) {
  struct stat state{};
  if (::stat(path.c_str(), &state) == 0 && !S_ISREG(state.st_mode)) return open_special(path);
  auto file = OutputFile::open(path);
  if (!file.is_ok()) return file.status();
  return std::unique_ptr<Sink>(std::make_unique<FileSink>(std::move(*file)));
}

// Others share our stdout, a shell for one, so its own flags are left alone: a second opening of the same pipe or
// terminal is set not to block. That is refused where it belongs to another user.
Result<std::unique_ptr<Sink>> open_stdout() {
  struct stat state{};
  if (::fstat(STDOUT_FILENO, &state) != 0) return output_error(kStdout, errno);
  if (S_ISREG(state.st_mode)) return std::unique_ptr<Sink>(std::make_unique<FileSink>(OutputFile::of_stdout()));
  if (S_ISSOCK(state.st_mode)) {
    return std::unique_ptr<Sink>(std::make_unique<FdSink>(STDOUT_FILENO, false, FdSink::Kind::kSocket, kStdout));
  }
  const int own = ::open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  const int fd = own >= 0 ? own : STDOUT_FILENO;
  const auto kind = own >= 0 ? FdSink::Kind::kStream : FdSink::Kind::kShared;
  return std::unique_ptr<Sink>(std::make_unique<FdSink>(fd, own >= 0, kind, kStdout));
}

}  // namespace

Result<std::unique_ptr<Sink>> open_sink(const WriterOptions& options) {
  return options.path.empty() ? open_stdout() : open_path(options.path);
}

}  // namespace walcat
