#include "walcat/model/visible_transactions.h"

#include <algorithm>
#include <charconv>

namespace walcat {

VisibleTransactions VisibleTransactions::parse(std::string_view text) {
  VisibleTransactions visible;
  const auto number = [&](char end) {
    std::uint64_t value = 0;
    const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    text.remove_prefix(static_cast<std::size_t>(after - text.data()));
    if (!text.empty() && text.front() == end) text.remove_prefix(1);
    return value;
  };
  visible.xmin = number(':');
  // The snapshot that comes with a slot may end before it begins: what was rolled back or changed no catalog has ended
  // behind its end. The server asks for xmin first.
  visible.xmax = std::max(number(':'), visible.xmin);
  while (!text.empty()) {
    const std::size_t before = text.size();
    visible.in_progress.push_back(number(','));
    if (text.size() == before) break;
  }
  return visible;
}

bool VisibleTransactions::sees(std::uint32_t xid) const {
  const auto behind = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(xmax));
  if (behind >= 0 || xmax == 0) return false;
  const std::uint64_t whole = xmax - static_cast<std::uint64_t>(-static_cast<std::int64_t>(behind));
  return whole < xmin || std::find(in_progress.begin(), in_progress.end(), whole) == in_progress.end();
}

}  // namespace walcat
