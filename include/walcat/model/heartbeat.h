#pragma once

#include <string_view>

namespace walcat {

/// Prefix of the logical messages that move a slot where nothing else does; nobody sees them.
inline constexpr std::string_view kHeartbeatPrefix = "walcat.heartbeat";

}  // namespace walcat
