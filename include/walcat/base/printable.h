#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walcat {

// What others wrote, as it may stand in a log or on a terminal: names, a server's errors, values of a configuration,
// labels out of captures, file names. What a terminal obeys or a line ends with (control characters of C0 and C1, DEL,
// U+2028, U+2029) is written as `\u001b`, and each maximal piece that is no UTF-8 as U+FFFD. What is printable already
// comes out as it is, so text may pass here more than once.

/// How a character is written that a terminal obeys or a line ends with, such as `\u001b`; empty for any other one.
std::string escape_of(std::string_view character);

/// `text` as a piece of a line: no more than `most` characters of it, with `..` where that cuts it.
std::string printable(std::string_view text, std::size_t most);

/// `text` as one line, in `bytes_most` bytes at most (at least 64). Line ends and tabs are joined by a space, so that
/// the DETAIL and HINT of a server's error read on; what is cut away at the end is counted there.
std::string printable_line(std::string_view text, std::size_t bytes_most);

/// `text` as the lines that it has, each of them as printable_line() has it.
std::string printable_lines(std::string_view text, std::size_t bytes_most);

}  // namespace walcat
