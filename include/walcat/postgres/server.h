#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Servers from here on send logical messages by pgoutput.
inline constexpr int kVersionWithMessages = 140000;

/// Which server, which history of it, and how far it has written.
struct ServerIdentity {
  std::string system_identifier;
  std::uint32_t timeline = 0;
  /// Flushed so far.
  Lsn flush_position;
  /// As text, like the slots' and the offset file's: a name that is no UTF-8 is repaired.
  std::string database;
};

/// Runs IDENTIFY_SYSTEM, which only a real replication connection answers.
Result<ServerIdentity> identify_server(Connection& connection);

/// The system identifier alone, which any connection answers, unless a role was denied pg_control_system().
Result<std::string> system_identifier_of(Connection& connection);

/// Checks what logical replication needs of the server: `wal_level`, no recovery before 16.
///
/// Errors: kRefused with the value seen, the value expected and how to change it.
Status check_server(Connection& connection);

/// Names of the event triggers that run in each new session, those that stream too; none before PostgreSQL 17.
Result<std::vector<std::string>> login_triggers(Connection& connection);

/// Whether the session's role is a superuser.
Result<bool> acts_as_superuser(Connection& connection);

/// Whether the server is a standby.
Result<bool> is_in_recovery(Connection& connection);

/// Where a server's history left one of its earlier timelines.
struct TimelineSwitch {
  std::uint32_t timeline = 0;
  /// The first position that is not on `timeline` any more.
  Lsn position;

  bool operator==(const TimelineSwitch&) const = default;
};

/// The earlier timelines of `timeline`, the oldest first.
///
/// Errors: kRefused if the server has no such history.
/// Source: PostgreSQL manual, protocol-replication (TIMELINE_HISTORY).
Result<std::vector<TimelineSwitch>> timeline_history(Connection& connection, std::uint32_t timeline);

/// Reads the content of a history file; passes over what makes no sense.
std::vector<TimelineSwitch> parse_timeline_history(std::string_view content);

/// Makes the server flush all of its log that is written, commits with `synchronous_commit` off included, to the end of
/// a record. Where it has flushed to by itself may lie inside one, and then nothing reaches that position until more is
/// written. Writes a message with the prefix kHeartbeatPrefix for that; does nothing on a standby, which cannot write.
Status flush_log(Connection& connection);

/// Checks that a slot is free to be created.
Status check_free_slot(Connection& connection);

/// The server's `wal_sender_timeout`; zero if it is off.
Result<std::chrono::milliseconds> wal_sender_timeout(Connection& connection);

}  // namespace walcat
