#pragma once

#include <cstdint>
#include <string_view>

#include "line_writer.h"

namespace walcat {

enum class Base64Alphabet : std::uint8_t {
  kStandard,  ///< Ends with `+` and `/`.
  kUrlSafe,   ///< Ends with `-` and `_`.
};

/// Writes bytes that come in pieces as one JSON string of base64, with padding.
class Base64Writer {
 public:
  /// Bytes of a piece, but for the last.
  static constexpr std::size_t kPiece = 48;

  Base64Writer(LineWriter& out, Base64Alphabet alphabet);

  /// Adds a piece: kPiece bytes, or fewer and then it is the last.
  void piece(const unsigned char* bytes, std::size_t size);
  void close() { out_.literal("\""); }

 private:
  LineWriter& out_;
  const char* alphabet_;
};

/// Whether `digits` are pairs of hexadecimal digits.
bool is_hex(std::string_view digits);
/// Writes the bytes that hexadecimal digits stand for. The caller has checked the digits.
void write_hex_as_base64(LineWriter& out, std::string_view digits, Base64Alphabet alphabet = Base64Alphabet::kStandard);

/// The byte that the first two of `digits` stand for, which is_hex() has checked.
unsigned char hex_byte(const char* digits);

}  // namespace walcat
