#include "walcat/base/utf8.h"

namespace walcat {

namespace {

// The range that the second byte of a sequence must lie in, and how many bytes it has; 0 bytes for a bad first one.
struct Lead {
  int size;
  unsigned char second_low;
  unsigned char second_high;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, 0, 0};
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Piece next_piece(std::string_view text) {
  const Lead lead = lead_of(static_cast<unsigned char>(text[0]));
  if (lead.size <= 1) return {1, lead.size == 1};
  unsigned char low = lead.second_low;
  unsigned char high = lead.second_high;
  std::size_t size = 1;
  for (; size < static_cast<std::size_t>(lead.size); ++size) {
    if (size == text.size()) return {size, false};
    const auto byte = static_cast<unsigned char>(text[size]);
    if (byte < low || byte > high) return {size, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

std::string_view first_characters(std::string_view text, std::size_t length) {
  if (text.size() <= length) return text;
  std::size_t end = 0;
  for (std::size_t taken = 0; taken < length && end < text.size(); ++taken) end += next_piece(text.substr(end)).size;
  return text.substr(0, end);
}

std::string_view whole_characters(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  std::size_t end = 0;
  for (std::size_t next = 0; next <= bytes; next += next_piece(text.substr(next)).size) end = next;
  return text.substr(0, end);
}

std::string with_replacements(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 8);
  while (!text.empty()) {
    const Utf8Piece piece = next_piece(text);
    out += piece.is_valid ? text.substr(0, piece.size) : std::string_view("\xEF\xBF\xBD");
    text.remove_prefix(piece.size);
  }
  return out;
}

}  // namespace walcat
