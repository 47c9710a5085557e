#include "walcat/model/visible_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

namespace walcat {

std::optional<VisibleTransactions> VisibleTransactions::parse(std::string_view text) {
  VisibleTransactions visible;
  // A number and what ends it, which is left out at the end of the text if it need not be there.
  const auto take = [&](std::uint64_t& to, char end, bool may_be_last) {
    const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), to);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(after - text.data()));
    if (text.empty()) return may_be_last;
    if (text.front() != end) return false;
    text.remove_prefix(1);
    return !text.empty() || !may_be_last;
  };
  if (!take(visible.xmin, ':', false) || !take(visible.xmax, ':', false)) return std::nullopt;
  // The snapshot that comes with a slot may end before it begins: what was rolled back or changed no catalog has ended
  // behind its end. The server asks for xmin first.
  visible.xmax = std::max(visible.xmax, visible.xmin);
  while (!text.empty()) {
    if (!take(visible.in_progress.emplace_back(), ',', true)) return std::nullopt;
  }
  return visible;
}

std::string VisibleTransactions::to_string() const {
  return fmt::format("{}:{}:{}", xmin, xmax, fmt::join(in_progress, ","));
}

bool VisibleTransactions::sees(std::uint32_t xid) const {
  const auto behind = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(xmax));
  if (behind >= 0 || xmax == 0) return false;
  const std::uint64_t whole = xmax - static_cast<std::uint64_t>(-static_cast<std::int64_t>(behind));
  return whole < xmin || std::find(in_progress.begin(), in_progress.end(), whole) == in_progress.end();
}

}  // namespace walcat
