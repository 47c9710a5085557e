#include "succession.h"

#include <algorithm>
#include <cstdint>
#include <unordered_set>

namespace walcat::selection {

namespace {

// What a step costs; a feared one a little less, so that it wins where nothing else decides.
constexpr std::int32_t kRename = 4;
constexpr std::int32_t kDrop = 4;
constexpr std::int32_t kAppend = 4;
// Only where the publication's list of columns has grown.
constexpr std::int32_t kInsert = 6;
// Names seldom come back: a rename to one that was there needs a third name on the way, and so does a new column.
constexpr std::int32_t kRenameToKnown = 2;
constexpr std::int32_t kAddKnown = 6;
constexpr std::int32_t kFear = 1;

}  // namespace

std::vector<std::size_t> likeliest_successors(const std::vector<std::string>& before,
                                              const std::vector<std::string>& now,
                                              const std::function<bool(std::size_t, std::size_t)>& is_feared) {
  const std::unordered_set<std::string> known(before.begin(), before.end());
  const std::size_t width = now.size() + 1;
  // For so many columns of `before` and of `now` that are explained.
  std::vector<std::int32_t> costs((before.size() + 1) * width);
  const auto cost = [&](std::size_t i, std::size_t j) -> std::int32_t& { return costs[i * width + j]; };
  const auto addition = [&](std::size_t i, std::size_t j) {
    return (i == before.size() ? kAppend : kInsert) + (known.contains(now[j]) ? kAddKnown : 0);
  };
  const auto succession = [&](std::size_t i, std::size_t j) {
    if (before[i] == now[j]) return 0;
    return kRename + (known.contains(now[j]) ? kRenameToKnown : 0) - (is_feared(i, j) ? kFear : 0);
  };
  for (std::size_t i = 0; i <= before.size(); ++i) {
    for (std::size_t j = 0; j <= now.size(); ++j) {
      if (i == 0 && j == 0) continue;
      std::int32_t least = INT32_MAX;
      if (i > 0) least = std::min(least, cost(i - 1, j) + kDrop);
      if (j > 0) least = std::min(least, cost(i, j - 1) + addition(i, j - 1));
      if (i > 0 && j > 0) least = std::min(least, cost(i - 1, j - 1) + succession(i - 1, j - 1));
      cost(i, j) = least;
    }
  }
  std::vector<std::size_t> successors(before.size(), kNoColumn);
  for (std::size_t i = before.size(), j = now.size(); i > 0;) {
    if (j > 0 && cost(i, j) == cost(i - 1, j - 1) + succession(i - 1, j - 1)) {
      successors[--i] = --j;
    } else if (j > 0 && cost(i, j) == cost(i, j - 1) + addition(i, j - 1)) {
      --j;
    } else {
      --i;
    }
  }
  return successors;
}

}  // namespace walcat::selection
