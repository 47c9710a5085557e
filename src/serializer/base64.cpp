#include "base64.h"

#include <algorithm>
#include <array>

#include "walcat/model/byte_buffer.h"

namespace walcat {

namespace {

constexpr char kStandard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr char kUrlSafe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr unsigned char kNoDigit = 0xFF;

constexpr auto kNibbles = [] {
  std::array<unsigned char, 256> nibbles{};
  nibbles.fill(kNoDigit);
  for (unsigned char i = 0; i < 10; ++i) nibbles['0' + i] = i;
  for (unsigned char i = 0; i < 6; ++i) {
    nibbles['a' + i] = static_cast<unsigned char>(10 + i);
    nibbles['A' + i] = static_cast<unsigned char>(10 + i);
  }
  return nibbles;
}();

unsigned char nibble(char digit) { return kNibbles[static_cast<unsigned char>(digit)]; }

char* encode_group(char* to, const unsigned char* bytes, const char* alphabet) {
  const std::uint32_t group = std::uint32_t{bytes[0]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[2];
  *to++ = alphabet[group >> 18];
  *to++ = alphabet[group >> 12 & 63];
  *to++ = alphabet[group >> 6 & 63];
  *to++ = alphabet[group & 63];
  return to;
}

char* encode_tail(char* to, const unsigned char* bytes, std::size_t size, const char* alphabet) {
  const unsigned char padded[3] = {bytes[0], size > 1 ? bytes[1] : static_cast<unsigned char>(0), 0};
  to = encode_group(to, padded, alphabet);
  to[-1] = '=';
  if (size == 1) to[-2] = '=';
  return to;
}

}  // namespace

Base64Writer::Base64Writer(LineWriter& out, Base64Alphabet alphabet)
    : out_(out), alphabet_(alphabet == Base64Alphabet::kStandard ? kStandard : kUrlSafe) {
  out_.literal("\"");
}

void Base64Writer::piece(const unsigned char* bytes, std::size_t size) {
  std::array<char, kPiece / 3 * 4 + ByteBuffer::kSlack> text;
  char* end = text.data();
  for (; size >= 3; bytes += 3, size -= 3) end = encode_group(end, bytes, alphabet_);
  if (size > 0) end = encode_tail(end, bytes, size, alphabet_);
  out_.raw(text.data(), static_cast<std::size_t>(end - text.data()));
}

bool is_hex(std::string_view digits) {
  if (digits.size() % 2 != 0) return false;
  unsigned char seen = 0;
  for (const char digit : digits) seen |= nibble(digit);
  return seen < 16;
}

unsigned char hex_byte(const char* digits) {
  return static_cast<unsigned char>(nibble(digits[0]) << 4 | nibble(digits[1]));
}

void write_hex_as_base64(LineWriter& out, std::string_view digits, Base64Alphabet alphabet) {
  Base64Writer writer(out, alphabet);
  std::array<unsigned char, Base64Writer::kPiece> bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2 * bytes.size()) {
    const std::size_t size = std::min(bytes.size(), (digits.size() - i) / 2);
    for (std::size_t k = 0; k < size; ++k) bytes[k] = hex_byte(digits.data() + i + 2 * k);
    writer.piece(bytes.data(), size);
  }
  writer.close();
}

}  // namespace walcat
