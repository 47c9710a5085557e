#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walcat::config {

/// The one of `known` that `word` was probably meant to be; empty if none is near. Case and `-` for `_` do not count.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace walcat::config
