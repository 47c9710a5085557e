#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// `text`, which must be UTF-8, as a JSON string. For messages and files; lines have a faster way.
std::string json_string(std::string_view text);

}  // namespace walcat
