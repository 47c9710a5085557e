#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// A replication slot as pg_replication_slots shows it.
struct SlotState {
  std::string plugin;
  /// As text; see ServerIdentity.
  std::string database;
  /// Ends with the session that has made it.
  bool temporary = false;
  /// Process that reads it, or is making it; 0 if nobody does.
  int active_pid = 0;
  /// The server has invalidated the slot; it can't be read any more.
  bool lost = false;
  /// Why, in the server's word (`wal_removed`, `idle_timeout`, ..); empty before PostgreSQL 17.
  std::string lost_reason;
  Lsn confirmed_flush;
  /// Prepared transactions are sent when they are prepared; false before PostgreSQL 15, whose pgoutput cannot.
  bool two_phase = false;
};

/// The first version whose pgoutput sends transactions when they are prepared.
inline constexpr int kVersionWithTwoPhase = 150000;

/// Of a prepared transaction that has changed nothing, but locked rows, pgoutput sends COMMIT PREPARED alone from the
/// first of these versions on (of 15 some minor ones do, such as 15.18, and some do not, such as 15.20), and from the
/// second on PREPARE too.
inline constexpr int kVersionWithLoneCommits = 150000;
inline constexpr int kVersionWithLonePrepares = 180000;

/// How a stream is asked for.
struct StreamRequest {
  /// Zero: where the slot stands.
  Lsn position;
  /// Transactions may come before they have ended, from servers that can (protocol version 2); otherwise they come
  /// whole.
  bool streaming = false;
  /// Transactions come when they are prepared (protocol version 3), and their commits later.
  bool two_phase = false;
};

/// What a slot makes the server retain.
struct SlotUsage {
  /// Where the server writes; a standby: what it has replayed.
  Lsn current;
  /// The log is retained from here on; zero if nothing is.
  Lsn restart;
  /// `reserved`, `extended`, `unreserved` or `lost`; empty before PostgreSQL 13.
  std::string wal_status;
  /// max_slot_wal_keep_size in bytes, and how many may be written until the slot is beyond it, which may be negative;
  /// nothing without a limit.
  std::int64_t limit_bytes = 0;
  std::optional<std::int64_t> safe_bytes;
};

/// What the slot retains now; nothing if there is no such slot. Needs no right.
/// Source: PostgreSQL manual, view-pg-replication-slots.
Result<std::optional<SlotUsage>> slot_usage(Connection& connection, const std::string& name);

/// Writes a logical message with the prefix kHeartbeatPrefix where the server has written beyond `position`, and
/// returns where it ends. Nothing on a standby, which cannot write.
///
/// It stands outside of transactions: it costs no transaction ID, comes by at once, whatever transactions are open, and
/// takes part in no transaction's counting.
Result<std::optional<Lsn>> write_heartbeat(Connection& connection, Lsn position);

/// Looks the slot up; nothing if there is none. Physical slots are found with an empty plugin and database, a logical
/// one that is being made may have its plugin not yet.
Result<std::optional<SlotState>> find_slot(Connection& connection, const std::string& name);

/// Creates a pgoutput slot and returns its consistent point: every later commit will be streamed.
///
/// Waits for every transaction that is open on the server to end. The server waits for them even when the client has
/// gone, and keeps the slot's name taken so long.
/// Errors: kWaiting where there is a slot of that name.
Result<Lsn> create_slot(Connection& connection, const std::string& name);

/// Whether commits of the server wait for whoever streams the slot (`synchronous_standby_names`).
Result<bool> is_synchronous_standby(Connection& connection, const std::string& name);

/// Makes a slot within begin_snapshot()'s transaction, whose snapshot then sees exactly what committed before the
/// slot's consistent point, which is returned. `temporary`: the slot ends with the connection. Waits and fails as
/// create_slot() does.
Result<Lsn> create_slot_with_snapshot(Connection& connection, const std::string& name, bool temporary);

/// Drops a slot that nobody reads.
Status drop_slot(Connection& connection, const std::string& name);

/// A logical slot that nobody reads.
struct InactiveSlot {
  std::string name;
  std::string plugin;
  Lsn confirmed_flush;
  /// What the server keeps for it, for people: `16 MB of WAL`.
  std::string retained;
};

/// The inactive logical slots of the connected database, temporary ones aside, by name.
Result<std::vector<InactiveSlot>> inactive_slots(Connection& connection);

/// Drops the slot if it is still inactive and stands where it stood. Whether it did.
Result<bool> drop_inactive_slot(Connection& connection, const InactiveSlot& slot);

/// The command that starts pgoutput.
std::string start_replication_command(const Connection& connection, const std::string& slot,
                                      const std::string& publication, const StreamRequest& request);

}  // namespace walcat
