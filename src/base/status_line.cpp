#include "status_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "walcat/base/printable.h"
#include "walcat/base/utf8.h"

namespace walcat::log {

namespace {

// ECMA-48: to the line's begin, and erase to its end.
constexpr std::string_view kErase = "\r\033[K";

// Characters; no terminal is as wide.
constexpr std::size_t kLineMost = 2'000;

void put(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
}

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

}  // namespace

bool StatusLine::is_possible() { return ::isatty(STDERR_FILENO) == 1; }

void StatusLine::show(std::string_view database, std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (texts_.empty() && text.empty()) return;
  if (text.empty()) {
    texts_.erase(std::string(database));
  } else {
    texts_.insert_or_assign(std::string(database), std::string(text));
  }
  erase();
  draw();
}

void StatusLine::erase() { put(kErase); }

// Cut to the terminal's width: a line that wraps cannot be taken away again. No character is wider than it has bytes.
void StatusLine::draw() const {
  std::string line;
  for (const auto& [database, text] : texts_) line += (line.empty() ? "" : " | ") + database + " " + text;
  put(whole_characters(printable(line, kLineMost), columns() - 1));
}

}  // namespace walcat::log
