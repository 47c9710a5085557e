#include "room_thread.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

#include "walcat/base/log.h"

namespace walcat {

// Neither a full log nor memory that is needed for the words keeps it from leaving.
void leave_for(const char* name, const std::exception& error) noexcept {
  const bool is_short = is_shortage(error);
  try {
    const std::string text =
        is_short ? fmt::format("{}; no database can do without it: walcat ends, and what is stored holds",
                               status_of(error, name).message())
                 : fmt::format("internal error in the {} thread: {}", name, error.what());
    log::write_at_once(log::Level::kError, "", text);
  } catch (const std::exception&) {
    constexpr std::string_view kText = "walcat: out of memory\n";
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kText.data(), kText.size());
  }
  std::_Exit(is_short ? kShortageStatus : kInternalErrorStatus);
}

}  // namespace walcat
