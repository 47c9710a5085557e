#pragma once

#include <cstddef>
#include <string_view>

namespace walcat {

/// XLogData: its kind, the position, the server's end, the time of sending; then the pgoutput message.
/// Source: PostgreSQL manual, protocol-replication.
inline constexpr std::size_t kXLogDataHeader = 25;

/// The pgoutput message kind of an XLogData frame; 0 for any other frame.
inline char message_kind(std::string_view frame) {
  return frame.size() > kXLogDataHeader && frame[0] == 'w' ? frame[kXLogDataHeader] : '\0';
}

/// What stands behind the kind. `frame` has one.
inline std::string_view message_body(std::string_view frame) { return frame.substr(kXLogDataHeader + 1); }

}  // namespace walcat
