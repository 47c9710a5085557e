#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walcat::selection {

/// Bytes of the UTF-8 character at the front of `text`, which is not empty; 0 if there is none.
std::size_t character_size(std::string_view text);

/// The first `length` characters of `text`; a byte that is no UTF-8 counts as one.
std::string_view first_characters(std::string_view text, std::size_t length);

/// `text` with U+FFFD for each byte that is no UTF-8.
std::string repaired(std::string_view text);

}  // namespace walcat::selection
