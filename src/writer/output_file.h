#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "walcat/base/file_place.h"
#include "walcat/base/status.h"

namespace walcat {

/// What is wrong with the output `name`, by the system's error number.
Status output_error(const std::string& name, int error);

/// A regular file that lines are appended to.
class OutputFile {
 public:
  /// Opens the file at `path`, made if it does not exist, locks it against others who write lines, and cuts off a torn
  /// last line. This is for the start: symbolic links are followed, and where they lead is the file's place from now
  /// on.
  ///
  /// Errors: kOutputFailed with path and reason; it is no regular file, for one.
  static Result<std::shared_ptr<OutputFile>> open(const std::string& path);

  /// Opens what is to be written once this file has left its place: one that is made there, with this one's mode, and
  /// its owner as far as that is allowed; or the one that somebody has put there, which is changed by nothing but lines
  /// behind its end. Whoever may write the folder may have put anything there, to have walcat's rights used on it.
  ///
  /// Errors: kOutputFailed with path and reason: no regular file, a symbolic link or another folder than at the start,
  ///     a file with a second name, half a line at its end. Another try makes sense.
  Result<std::shared_ptr<OutputFile>> open_next() const;

  /// The file that stdout is: without a path of its own, and not locked.
  static std::shared_ptr<OutputFile> of_stdout();

  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  int fd() const { return fd_; }
  /// Its path, or "stdout".
  const std::string& name() const { return name_; }
  /// Whether there is a path to open it by.
  bool has_path() const { return has_path_; }

  /// Threads: thread-safe.
  FilePlace place() const;

  /// Makes what was written survive a crash of the machine. Returns 0, or the error number.
  ///
  /// Threads: thread-safe.
  int sync() const;

  /// Appends the last `bytes` bytes that were written to `deleted`, as far as they are still there, and syncs. Where
  /// there is no room, `deleted` gives up what stands before them, and another try may succeed.
  ///
  /// Errors: kOutputFailed, and kStopped where `interrupted` became true; then this file is as it was.
  Status take_over(const OutputFile& deleted, std::uint64_t bytes, const std::atomic<bool>& interrupted);

 private:
  OutputFile(int fd, std::string name, std::string place)
      : fd_(fd), name_(std::move(name)), place_(std::move(place)), has_path_(!place_.empty()) {}

  Status lock() const;

  const int fd_;
  const std::string name_;
  /// The path without the symbolic links that led to the file at the start.
  const std::string place_;
  const bool has_path_;
};

}  // namespace walcat
