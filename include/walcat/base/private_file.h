#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace walcat {

/// Why a file could not be read or replaced.
struct FileFault {
  /// What was tried: `open`, `write`, ...
  std::string step;
  /// As errno has it; 0 where the file itself is wrong, which `step` tells then.
  int error = 0;
};

/// Reads all of a regular file of at most `most` bytes to `text`; a file that is not there leaves `is_there` false.
///
/// Never waits, as opening a FIFO does. Threads: thread-safe.
std::optional<FileFault> read_regular_file(const std::string& path, std::size_t most, std::string& text,
                                           bool& is_there);

/// The name that `path` has while it is being replaced.
std::string temporary_path(const std::string& path);

/// Puts a file of `text` in the place of `path`, whole or not at all, and so that it survives a crash of the machine.
///
/// The file is its owner's alone (mode 0600). On the way there it is temporary_path(); what bears that name already is
/// removed and never followed or written to. Threads: one at a time a path.
std::optional<FileFault> replace_private_file(const std::string& path, std::string_view text);

}  // namespace walcat
