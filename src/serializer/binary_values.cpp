#include "binary_values.h"

#include <algorithm>
#include <array>

#include "base64.h"
#include "walcat/model/byte_buffer.h"

namespace walcat {

namespace {

using BinaryHandling = DebeziumOptions::BinaryHandling;

// The eight bits before `end`, or as many as there are from `begin`.
unsigned char byte_before(const char* begin, const char* end) {
  unsigned char byte = 0;
  for (const char* bit = end - std::min<std::ptrdiff_t>(8, end - begin); bit != end; ++bit) {
    byte = static_cast<unsigned char>(byte << 1 | (*bit - '0'));
  }
  return byte;
}

}  // namespace

bool write_bytea(LineWriter& out, std::string_view text, BinaryHandling mode) {
  if (!text.starts_with("\\x")) return false;
  const std::string_view digits = text.substr(2);
  if (!is_hex(digits)) return false;
  switch (mode) {
    case BinaryHandling::kBytes:
    case BinaryHandling::kBase64: write_hex_as_base64(out, digits); break;
    case BinaryHandling::kBase64UrlSafe: write_hex_as_base64(out, digits, Base64Alphabet::kUrlSafe); break;
    case BinaryHandling::kHex: out.string(digits); break;
  }
  return true;
}

bool write_bit(LineWriter& out, std::string_view text) {
  if (text == "1") {
    out.literal("true");
  } else if (text == "0") {
    out.literal("false");
  } else {
    return false;
  }
  return true;
}

bool write_bits(LineWriter& out, std::string_view text) {
  if (text.find_first_not_of("01") != std::string_view::npos) return false;
  const char* begin = std::find(text.data(), text.data() + text.size(), '1');
  const char* end = text.data() + text.size();
  Base64Writer writer(out, Base64Alphabet::kStandard);
  std::array<unsigned char, Base64Writer::kPiece> bytes;
  while (begin < end) {
    std::size_t size = 0;
    for (; size < bytes.size() && begin < end; end -= std::min<std::ptrdiff_t>(8, end - begin)) {
      bytes[size++] = byte_before(begin, end);
    }
    writer.piece(bytes.data(), size);
  }
  writer.close();
  return true;
}

std::string binary_json(std::string_view bytes, BinaryHandling mode) {
  ByteBuffer json(bytes.size() * 2 + 16);
  LineWriter writer(json);
  switch (mode) {
    case BinaryHandling::kBytes:
    case BinaryHandling::kBase64: writer.base64(bytes); break;
    case BinaryHandling::kBase64UrlSafe: writer.base64_url_safe(bytes); break;
    case BinaryHandling::kHex: writer.hex(bytes); break;
  }
  writer.close();
  return std::string(json.view());
}

}  // namespace walcat
