#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace walcat {

/// Of a list that may be long, as many elements as a log line can bear: `a, b and 3 more`.
std::string shortened_list(const std::vector<std::string>& elements, std::string_view separator = ", ",
                           std::size_t shown_most = 10);

}  // namespace walcat
