#include "walcat/model/visible_transactions.h"

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
  visible.xmax = number(':');
  while (!text.empty()) {
    const std::size_t before = text.size();
    visible.in_progress.push_back(number(','));
    if (text.size() == before) break;
  }
  return visible;
}

}  // namespace walcat
