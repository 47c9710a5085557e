#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walcat {

/// `text` as it may stand in a log or on a terminal, whoever wrote it: control characters (C0, DEL, C1) as `\u001b`,
/// pieces that are no UTF-8 as U+FFFD, and no more than `most` characters of it, with `..` where that cuts it.
std::string printable(std::string_view text, std::size_t most);

}  // namespace walcat
