#include "hanging.h"

#include <fmt/format.h>

namespace walcat {

namespace {

// Who reads this has several screens of it otherwise.
constexpr std::size_t kMostLanes = 10;

// What the next run makes of the lane.
std::string sequel(const Lane& lane) {
  if (lane.options.offset_path.empty()) return "what was printed is not complete";
  if (lane.is_stored_whole.load(std::memory_order_acquire)) {
    return "what was printed is stored, and is not printed again";
  }
  if (lane.changes_written() == 0) return "nothing was printed";
  return fmt::format("stored up to {}; the next run repeats lines that were printed beyond it",
                     Lsn{lane.stored.load(std::memory_order_acquire)}.to_string());
}

}  // namespace

std::vector<Hanging> what_hangs(const std::vector<std::unique_ptr<Lane>>& lanes, const char* closing) {
  std::vector<Hanging> hanging;
  std::size_t more = 0;
  for (const auto& lane : lanes) {
    if (lane->left.load(std::memory_order_acquire)) continue;
    if (hanging.size() == kMostLanes) {
      ++more;
      continue;
    }
    hanging.push_back({lane->options.label, fmt::format("left hanging ({}): {}", lane->state(), sequel(*lane))});
  }
  if (more > 0) hanging.push_back({"", fmt::format("left hanging: {} more databases", more)});
  if (hanging.empty()) {
    hanging.push_back({"", fmt::format("left hanging: {}; all databases had ended before", closing)});
  }
  return hanging;
}

}  // namespace walcat
