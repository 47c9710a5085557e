#include "quoted_text.h"

namespace walcat {

std::string_view QuotedText::plain(ByteBuffer& scratch) const {
  if (!has_escapes) return raw;
  scratch.clear(kScratchKept);
  std::string_view rest = raw;
  for (;;) {
    const std::size_t backslash = rest.find('\\');
    scratch.append(rest.substr(0, backslash));
    if (backslash == std::string_view::npos) return scratch.view();
    scratch.append(rest.substr(backslash + 1, 1));
    rest.remove_prefix(backslash + 2);
  }
}

bool take_quoted(std::string_view& text, QuotedText& quoted) {
  quoted.has_escapes = false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      quoted.has_escapes = true;
      ++i;
    } else if (text[i] == '"') {
      quoted.raw = text.substr(1, i - 1);
      text.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace walcat
