#include "walcat/base/printable.h"

#include <fmt/format.h>

#include "walcat/base/utf8.h"

namespace walcat {

std::string printable(std::string_view text, std::size_t most) {
  const std::string_view shown = first_characters(text, most);
  std::string out;
  for (std::string_view rest = shown; !rest.empty();) {
    const std::size_t size = character_size(rest);
    const auto byte = static_cast<unsigned char>(rest.front());
    // U+0080 to U+009F are 0xC2 and the character's own value.
    const bool is_c1 = size == 2 && byte == 0xC2 && static_cast<unsigned char>(rest[1]) < 0xA0;
    if (size == 0) {
      out += "\xEF\xBF\xBD";
    } else if (is_c1 || (size == 1 && (byte < 0x20 || byte == 0x7F))) {
      out += fmt::format("\\u{:04x}", is_c1 ? static_cast<unsigned char>(rest[1]) : byte);
    } else {
      out += rest.substr(0, size);
    }
    rest.remove_prefix(size == 0 ? 1 : size);
  }
  return shown.size() == text.size() ? out : out + "..";
}

}  // namespace walcat
