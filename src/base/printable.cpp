#include "walcat/base/printable.h"

#include <fmt/format.h>

#include "walcat/base/utf8.h"

namespace walcat {

namespace {

// Room for the words behind what is cut.
constexpr std::size_t kNoteBytes = 48;

bool joins(char c) { return c == '\n' || c == '\r' || c == '\t' || c == '\v' || c == '\f'; }

// Takes the next character, or what should have been one, off the front of `rest`.
std::string take_shown(std::string_view& rest) {
  const Utf8Piece piece = next_piece(rest);
  const std::string_view character = piece.is_valid ? rest.substr(0, piece.size) : "\xEF\xBF\xBD";
  rest.remove_prefix(piece.size);
  std::string escape = escape_of(character);
  return escape.empty() ? std::string(character) : escape;
}

}  // namespace

// U+0080 to U+009F are 0xC2 and the character's own value.
std::string escape_of(std::string_view character) {
  const auto last = static_cast<unsigned char>(character.back());
  const bool is_c1 = character.size() == 2 && character.front() == '\xC2' && last < 0xA0;
  if (is_c1 || last < 0x20 || last == 0x7F) return fmt::format("\\u{:04x}", last);
  if (character == "\u2028") return "\\u2028";
  return character == "\u2029" ? "\\u2029" : "";
}

std::string printable(std::string_view text, std::size_t most) {
  std::string_view rest = first_characters(text, most);
  const bool is_cut = rest.size() < text.size();
  std::string out;
  while (!rest.empty()) out += take_shown(rest);
  return is_cut ? out + ".." : out;
}

std::string printable_line(std::string_view text, std::size_t bytes_most) {
  std::string out;
  // How much of both fits beside the note about the rest.
  std::size_t out_kept = 0;
  std::size_t text_kept = 0;
  for (std::string_view rest = text; !rest.empty();) {
    if (joins(rest.front())) {
      if (!out.empty() && out.back() != ' ') out += ' ';
      rest.remove_prefix(1);
    } else {
      out += take_shown(rest);
    }
    if (out.size() + kNoteBytes <= bytes_most) {
      out_kept = out.size();
      text_kept = text.size() - rest.size();
    } else if (out.size() > bytes_most) {
      out.resize(out_kept);
      return out + fmt::format(".. ({} bytes more)", text.size() - text_kept);
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

std::string printable_lines(std::string_view text, std::size_t bytes_most) {
  std::string out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    out += printable_line(text.substr(0, end), bytes_most);
    if (end == std::string_view::npos) return out;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace walcat
