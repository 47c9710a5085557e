#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace walcat::selection {

/// No column.
inline constexpr std::size_t kNoColumn = ~std::size_t{0};

/// For each column of `before` the position in `now` of what it most likely has become, kNoColumn if it was dropped.
///
/// Columns keep their order whatever they are called, and new ones come last. Of the histories of renames, drops and
/// additions that explain `now` the shortest counts; of those as short, the one with the most pairs of columns for
/// which `is_feared(before, now)`.
std::vector<std::size_t> likeliest_successors(const std::vector<std::string>& before,
                                              const std::vector<std::string>& now,
                                              const std::function<bool(std::size_t, std::size_t)>& is_feared);

}  // namespace walcat::selection
