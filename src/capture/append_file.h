#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/status.h"

namespace walcat {

/// A capture file that whole blocks are appended to. Between processes, and within one, it is locked while it is open.
///
/// Threads: one at a time.
class AppendFile {
 public:
  /// Opens `path`, made if it does not exist; a last block that is not whole is cut off. Through a symbolic link only
  /// what is a capture already is opened. What is no capture stays as it is, its mode too.
  ///
  /// Errors: kRefused, naming file and offset, if it can't be opened or made, somebody else writes it, it is no
  ///     capture, of a newer version, or damaged before its last block; kUnavailable if there is no room for it.
  static Result<std::unique_ptr<AppendFile>> open(const std::string& path);
  /// Makes `path`, which must not exist. Where it fails nothing is left behind.
  ///
  /// Errors: as open().
  static Result<std::unique_ptr<AppendFile>> create(const std::string& path);
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  const std::string& path() const { return path_; }
  /// Bytes of the file header and the whole blocks.
  std::uint64_t size() const { return end_; }
  /// Bytes that open() has cut off.
  std::uint64_t bytes_cut() const { return bytes_cut_; }

  /// Appends `block`.
  ///
  /// Errors: kUnavailable while there is no room for it, and another try goes on; else kRefused.
  Status append(std::string_view block);
  /// Returns once everything is on the disk. Errors: kRefused, for good; so if the file was deleted.
  Status sync();

 private:
  AppendFile(std::string path, int fd, bool is_link = false) : path_(std::move(path)), fd_(fd), is_link_(is_link) {}

  Status prepare();
  Status find_end();
  Status begin();
  Status write_header();

  const std::string path_;
  const int fd_;
  /// The path is a symbolic link.
  const bool is_link_;
  std::uint64_t end_ = 0;
  std::uint64_t bytes_cut_ = 0;
  bool is_moved_ = false;
};

}  // namespace walcat
