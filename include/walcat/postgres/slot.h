#pragma once

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
  std::string database;
  /// Process that reads it; 0 if nobody does.
  int active_pid = 0;
  /// The server has invalidated the slot; it can't be read any more.
  bool lost = false;
  /// Why, in the server's word (`wal_removed`, `idle_timeout`, ..); empty before PostgreSQL 17.
  std::string lost_reason;
  Lsn confirmed_flush;
};

/// Looks the slot up; nothing if there is none. Physical slots are found with an empty plugin.
Result<std::optional<SlotState>> find_slot(Connection& connection, const std::string& name);

/// Creates a pgoutput slot and returns its consistent point: every later commit will be streamed.
///
/// Waits for every transaction that is open on the server to end.
Result<Lsn> create_slot(Connection& connection, const std::string& name);

/// Drops a slot that nobody reads.
Status drop_slot(Connection& connection, const std::string& name);

/// Drops the inactive pgoutput slots of the connected database that are not in `keep`, and logs each one first with the
/// WAL it retains.
Status drop_inactive_slots(Connection& connection, const std::vector<std::string>& keep, const log::Logger& logger);

/// The command that starts pgoutput at `position`. `streaming`: transactions may come before they have ended, from
/// servers that can (protocol version 2); otherwise they come whole (1).
std::string start_replication_command(const Connection& connection, const std::string& slot,
                                      const std::string& publication, Lsn position, bool streaming);

}  // namespace walcat
