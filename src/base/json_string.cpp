#include "walcat/base/json_string.h"

#include "walcat/base/printable.h"
#include "walcat/base/utf8.h"

namespace walcat {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const Utf8Piece piece = next_piece(text);
    const std::string_view character = piece.is_valid ? text.substr(0, piece.size) : "\xEF\xBF\xBD";
    const std::string escape = escape_of(character);
    if (character == "\"" || character == "\\") out += '\\';
    out += escape.empty() ? character : std::string_view(escape);
    text.remove_prefix(piece.size);
  }
  return out + '"';
}

}  // namespace walcat
