#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walcat {

/// Bytes of the character at the front of `text`, which is not empty; 0 if there is none.
std::size_t character_size(std::string_view text);

/// The first `length` characters of `text`; a piece that is no UTF-8 counts as one.
std::string_view first_characters(std::string_view text, std::size_t length);

/// `text` with each maximal piece that is no UTF-8 replaced by U+FFFD.
///
/// Source: the Unicode Standard, "U+FFFD Substitution of Maximal Subparts".
std::string with_replacements(std::string_view text);

}  // namespace walcat
