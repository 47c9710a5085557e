#include "walcat/base/shortened_list.h"

#include <fmt/format.h>

#include <algorithm>

namespace walcat {

std::string shortened_list(const std::vector<std::string>& elements, std::string_view separator,
                           std::size_t shown_most) {
  const std::size_t shown = std::min(elements.size(), shown_most);
  std::string text =
      fmt::format("{}", fmt::join(elements.begin(), elements.begin() + static_cast<std::ptrdiff_t>(shown), separator));
  if (shown < elements.size()) text += fmt::format(" and {} more", elements.size() - shown);
  return text;
}

}  // namespace walcat
