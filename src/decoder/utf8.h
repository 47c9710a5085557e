#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// Whether `text` is well-formed UTF-8.
bool is_utf8(std::string_view text);

/// `text` with each maximal piece that is no UTF-8 replaced by U+FFFD.
///
/// Source: the Unicode Standard, "U+FFFD Substitution of Maximal Subparts".
std::string with_replacements(std::string_view text);

}  // namespace walcat
