#include "line_writer.h"

#include <array>

namespace walcat {

namespace {

constexpr auto kTwoDigits = [] {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}();

constexpr std::size_t kLongestNumber = 20;

}  // namespace

void LineWriter::number(std::uint64_t value) {
  room(kLongestNumber);
  char digits[kLongestNumber];
  char* begin = digits + kLongestNumber;
  while (value >= 100) {
    begin -= 2;
    std::memcpy(begin, &kTwoDigits[2 * (value % 100)], 2);
    value /= 100;
  }
  if (value >= 10) {
    begin -= 2;
    std::memcpy(begin, &kTwoDigits[2 * value], 2);
  } else {
    *--begin = static_cast<char>('0' + value);
  }
  const auto size = static_cast<std::size_t>(digits + kLongestNumber - begin);
  std::memcpy(out_, begin, size);
  out_ += size;
}

void LineWriter::number(std::int64_t value) {
  room(1 + kLongestNumber);
  if (value < 0) *out_++ = '-';
  const auto magnitude = static_cast<std::uint64_t>(value);
  number(value < 0 ? ~magnitude + 1 : magnitude);
}

void LineWriter::escape(unsigned char byte) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  room(6);
  *out_++ = '\\';
  switch (byte) {
    case '"': *out_++ = '"'; return;
    case '\\': *out_++ = '\\'; return;
    case '\b': *out_++ = 'b'; return;
    case '\f': *out_++ = 'f'; return;
    case '\n': *out_++ = 'n'; return;
    case '\r': *out_++ = 'r'; return;
    case '\t': *out_++ = 't'; return;
    default: break;
  }
  std::memcpy(out_, "u00", 3);
  out_[3] = kHex[byte >> 4];
  out_[4] = kHex[byte & 15];
  out_ += 5;
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
