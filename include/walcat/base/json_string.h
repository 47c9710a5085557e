#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// `text` as a JSON string: pieces that are no UTF-8 as U+FFFD, what a terminal obeys or a line ends with as escapes
/// (see printable.h). For messages and files; lines have a faster way.
std::string json_string(std::string_view text);

}  // namespace walcat
