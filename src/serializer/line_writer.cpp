#include "line_writer.h"

namespace walcat {

namespace {

bool is_special(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text == "NaN" || text == "Infinity" || text == "infinity";
}

}  // namespace

void LineWriter::strange_label(std::uint32_t type_oid, std::string_view label) {
  strange_labels_.push_back({type_oid, std::string(label)});
}

void LineWriter::text_instead(std::string_view padded) {
  if (!is_special(padded)) ++texts_instead_;
  string(padded);
}

// Piece by piece, or room would be made for escapes that may not come.
void LineWriter::long_string(const char* text, std::size_t size) {
  room(size + kQuotes + kEscapeMost * kShortText);
  *out_++ = '"';
  while (size > 0) {
    const std::size_t piece = size < kShortText ? size : kShortText;
    room(kEscapeMost * piece);
    out_ = put_escaped(out_, text, piece);
    text += piece;
    size -= piece;
  }
  room(1);
  *out_++ = '"';
}

void LineWriter::base64(std::string_view bytes) {
  base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
}

void LineWriter::base64_url_safe(std::string_view bytes) {
  base64(bytes, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");
}

void LineWriter::base64(std::string_view bytes, const char* alphabet) {
  room((bytes.size() + 2) / 3 * 4 + 2);
  *out_++ = '"';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t taken = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < taken ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      *out_++ = k <= taken ? alphabet[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  *out_++ = '"';
}

void LineWriter::hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  room(2 * bytes.size() + 2);
  *out_++ = '"';
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *out_++ = kDigits[byte >> 4];
    *out_++ = kDigits[byte & 15];
  }
  *out_++ = '"';
}

}  // namespace walcat
