#include "quoted_json.h"

#include <simdjson.h>

#include "base64.h"
#include "line_writer.h"
#include "walcat/base/utf8.h"
#include "walcat/model/byte_buffer.h"

namespace walcat {

std::string quoted_json(std::string_view text) {
  if (!simdjson::validate_utf8(text.data(), text.size())) return quoted_json(with_replacements(text));
  ByteBuffer padded(text.size());
  padded.append(text);
  ByteBuffer json(text.size() + 2);
  LineWriter writer(json);
  writer.string(padded.view());
  writer.close();
  return std::string(json.view());
}

std::string placeholder_bytes(std::string_view configured) {
  static constexpr std::string_view kPrefix = "hex:";
  if (!configured.starts_with(kPrefix)) return std::string(configured);
  const std::string_view digits = configured.substr(kPrefix.size());
  if (!is_hex(digits)) return std::string(configured);
  std::string bytes;
  for (std::size_t i = 0; i < digits.size(); i += 2) bytes.push_back(static_cast<char>(hex_byte(&digits[i])));
  return bytes;
}

std::string placeholder_text(std::string_view configured) {
  std::string bytes = placeholder_bytes(configured);
  return simdjson::validate_utf8(bytes.data(), bytes.size()) ? bytes : std::string(configured);
}

}  // namespace walcat
