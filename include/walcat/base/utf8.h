#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace walcat {

/// A character, or the longest beginning of one that goes wrong.
struct Utf8Piece {
  /// In bytes, at least 1.
  std::size_t size;
  bool is_valid;
};

/// What stands at the front of `text`, which is not empty.
Utf8Piece next_piece(std::string_view text);

/// The first `length` characters of `text`; a piece that is no UTF-8 counts as one.
std::string_view first_characters(std::string_view text, std::size_t length);

/// As much of the front of `text` as fits in `bytes` without cutting a character.
std::string_view whole_characters(std::string_view text, std::size_t bytes);

/// `text` with each maximal piece that is no UTF-8 replaced by U+FFFD.
///
/// Source: the Unicode Standard, "U+FFFD Substitution of Maximal Subparts".
std::string with_replacements(std::string_view text);

}  // namespace walcat
