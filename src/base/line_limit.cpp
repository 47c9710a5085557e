#include "line_limit.h"

#include "walcat/base/printable.h"

namespace walcat::log {

namespace {

// Characters of a line that stands for others.
constexpr std::size_t kShownMost = 200;

}  // namespace

bool LineLimit::admits(std::string_view database, std::string_view kind, std::string_view message,
                       Clock::time_point now) {
  Kind& known = kinds_[{std::string(database), std::string(kind)}];
  if (known.written == 0 || (known.left_out == 0 && now - known.began >= kInterval)) known = {now, 0, 0, {}};
  if (known.left_out == 0 && known.written < kLinesMost) {
    ++known.written;
    return true;
  }
  untold_ += known.left_out == 0 ? 1 : 0;
  ++known.left_out;
  known.last = printable(message, kShownMost);
  return false;
}

std::optional<LineLimit::LeftOut> LineLimit::take_left_out(std::optional<Clock::time_point> now) {
  if (untold_ == 0) return std::nullopt;
  for (auto& [name, kind] : kinds_) {
    if (kind.left_out == 0 || (now && *now - kind.began < kInterval)) continue;
    LeftOut told{name.first, kind.left_out, std::move(kind.last)};
    kind = {};
    --untold_;
    return told;
  }
  return std::nullopt;
}

}  // namespace walcat::log
