#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

namespace walcat::test {

/// `json` with two digits left of each run of them outside its strings: the grammar stays what it was, and numbers of
/// any size fit the parser.
inline std::string with_short_numbers(std::string_view json) {
  std::string out;
  bool in_string = false;
  std::size_t digits = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    const bool is_digit = !in_string && c >= '0' && c <= '9';
    digits = is_digit ? digits + 1 : 0;
    if (digits > 2) continue;
    out += c;
    if (c == '"') in_string = !in_string;
    if (c == '\\' && i + 1 < json.size()) out += json[++i];
  }
  return out;
}

/// Parses `json`, one value; nothing if it is none. `is_utf8`: whether it must be. Valid until the next call.
inline const simdjson::dom::element* parsed_json(std::string_view json, bool is_utf8 = true) {
  static simdjson::dom::parser parser;
  static simdjson::dom::element element;
  std::string text = with_short_numbers(json);
  if (!is_utf8) {
    for (char& c : text) {
      if (static_cast<unsigned char>(c) >= 0x80) c = '?';
    }
  }
  return parser.parse(text).get(element) == simdjson::SUCCESS ? &element : nullptr;
}

}  // namespace walcat::test
