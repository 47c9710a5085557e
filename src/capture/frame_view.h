#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "walcat/base/byte_reader.h"
#include "walcat/base/lsn.h"

namespace walcat {

// A first look at a frame of the stream: a CopyData payload.
//
// Source: PostgreSQL manual, protocol-replication (XLogData) and protocol-logicalrep-message-formats.

inline constexpr char kKeepalive = 'k';
inline constexpr char kXLogData = 'w';
/// Bytes before the message of an XLogData: kind, start, end, time.
inline constexpr std::size_t kXLogDataHeader = 25;

inline constexpr char kRelationMessage = 'R';
inline constexpr char kTypeMessage = 'Y';

/// The kind of pgoutput's message in `frame`; 0: there is none, as in a keepalive.
inline char message_kind(std::string_view frame) {
  return frame.size() > kXLogDataHeader && frame[0] == kXLogData ? frame[kXLogDataHeader] : '\0';
}

/// The OID that a Relation or Type message begins with; 0 if it is cut.
inline std::uint32_t message_oid(std::string_view frame) { return ByteReader(frame.substr(kXLogDataHeader + 1)).u32(); }

/// The commit LSN of a Commit message; zero if it is cut.
inline Lsn commit_lsn(std::string_view frame) {
  ByteReader message(frame.substr(kXLogDataHeader + 1));
  message.u8();
  return Lsn{message.u64()};
}

}  // namespace walcat
