#include "walcat/postgres/slot.h"

#include <fmt/format.h>

#include <utility>

#include "walcat/base/utf8.h"
#include "walcat/model/heartbeat.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/server.h"

namespace walcat {

namespace {

// Replication commands know plain string literals only, without escapes.
std::string plain_literal(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += '\'';
    quoted += c;
  }
  return quoted + '\'';
}

// Returns the slot's consistent point.
Result<Lsn> run_create_slot(Connection& connection, const std::string& name, std::string command) {
  const auto row = connection.query_row<std::string, Lsn, std::optional<std::string>, std::optional<std::string>>(
      {"CREATE_REPLICATION_SLOT", std::move(command), Wait::kForOthers});
  if (!row.is_ok()) return row.status().with_context("create slot " + name);
  const auto& [made, point, snapshot, plugin] = *row;
  return point;
}

}  // namespace

Result<std::optional<SlotState>> find_slot(Connection& connection, const std::string& name) {
  const char* lost = connection.server_version() >= 130000 ? "COALESCE(wal_status = 'lost', false)" : "false";
  const char* reason = connection.server_version() >= 170000 ? "invalidation_reason" : "NULL";
  const char* two_phase = connection.server_version() >= kVersionWithTwoPhase ? "two_phase" : "false";
  auto row = connection.query_optional_row<std::optional<std::string>, std::optional<std::string>, int, bool,
                                           std::optional<Lsn>, std::optional<std::string>, bool, bool>(
      {"slot " + name,
       fmt::format("SELECT plugin, database, COALESCE(active_pid, 0), {}, confirmed_flush_lsn, {}, {}, temporary FROM "
                   "pg_catalog.pg_replication_slots WHERE slot_name = {}",
                   lost, reason, two_phase, connection.literal(name))});
  if (!row.is_ok()) return row.status();
  if (!*row) return std::optional<SlotState>();
  auto& [plugin, database, active_pid, is_lost, confirmed_flush, lost_reason, has_two_phase, is_temporary] = **row;
  SlotState slot;
  slot.plugin = std::move(plugin).value_or("");
  slot.database = with_replacements(database.value_or(""));
  slot.active_pid = active_pid;
  slot.lost = is_lost;
  slot.two_phase = has_two_phase;
  slot.temporary = is_temporary;
  slot.confirmed_flush = confirmed_flush.value_or(Lsn{});
  slot.lost_reason = std::move(lost_reason).value_or("");
  return std::optional(std::move(slot));
}

Result<std::optional<SlotUsage>> slot_usage(Connection& connection, const std::string& name) {
  const char* limits = connection.server_version() >= 130000 ? "wal_status, safe_wal_size, pg_catalog.pg_size_bytes("
                                                               "pg_catalog.current_setting('max_slot_wal_keep_size'))"
                                                             : "NULL, NULL, NULL";
  auto row = connection.query_optional_row<std::optional<Lsn>, std::optional<Lsn>, std::optional<std::string>,
                                           std::optional<std::int64_t>, std::optional<std::int64_t>>(
      {"log that slot " + name + " retains",
       fmt::format("SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
                   "ELSE pg_catalog.pg_current_wal_lsn() END, restart_lsn, {} FROM pg_catalog.pg_replication_slots "
                   "WHERE slot_name = {}",
                   limits, connection.literal(name))});
  if (!row.is_ok()) return row.status();
  if (!*row) return std::optional<SlotUsage>();
  auto& [current, restart, wal_status, safe_bytes, limit_bytes] = **row;
  SlotUsage usage;
  usage.current = current.value_or(Lsn{});
  usage.restart = restart.value_or(Lsn{});
  usage.wal_status = std::move(wal_status).value_or("");
  usage.safe_bytes = safe_bytes;
  if (limit_bytes) usage.limit_bytes = *limit_bytes;
  return std::optional(std::move(usage));
}

Result<std::optional<Lsn>> write_heartbeat(Connection& connection, Lsn position) {
  return connection.query_value<std::optional<Lsn>>(
      {"the heartbeat", fmt::format("SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN CASE WHEN "
                                    "pg_catalog.pg_current_wal_lsn() > '{}' THEN "
                                    "pg_catalog.pg_logical_emit_message(false, {}, '') END END",
                                    position.to_string(), connection.literal(kHeartbeatPrefix))});
}

Result<Lsn> create_slot(Connection& connection, const std::string& name) {
  return run_create_slot(
      connection, name,
      fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput NOEXPORT_SNAPSHOT", quote_identifier(name)));
}

Result<Lsn> create_slot_with_snapshot(Connection& connection, const std::string& name, bool temporary) {
  return run_create_slot(connection, name,
                         fmt::format("CREATE_REPLICATION_SLOT {}{} LOGICAL pgoutput USE_SNAPSHOT",
                                     quote_identifier(name), temporary ? " TEMPORARY" : ""));
}

Status drop_slot(Connection& connection, const std::string& name) {
  return connection.execute("DROP_REPLICATION_SLOT " + quote_identifier(name)).with_context("drop slot " + name);
}

Result<std::vector<InactiveSlot>> inactive_slots(Connection& connection) {
  // A standby has no current position to measure from.
  auto rows = connection.query<std::string, std::string, std::optional<Lsn>, std::string>(
      {"slots that nobody reads",
       "SELECT slot_name, plugin, confirmed_flush_lsn, COALESCE(pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff("
       "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
       "pg_catalog.pg_current_wal_lsn() END, restart_lsn)) || ' of WAL', 'no WAL') FROM "
       "pg_catalog.pg_replication_slots WHERE NOT active AND NOT temporary AND slot_type = 'logical' AND database = "
       "pg_catalog.current_database() ORDER BY slot_name"});
  if (!rows.is_ok()) return rows.status();
  std::vector<InactiveSlot> slots;
  for (auto& [name, plugin, confirmed_flush, retained] : *rows) {
    slots.push_back({std::move(name), std::move(plugin), confirmed_flush.value_or(Lsn{}), std::move(retained)});
  }
  return slots;
}

Result<bool> drop_inactive_slot(Connection& connection, const InactiveSlot& slot) {
  const auto dropped = connection.query_optional_row<std::string>(
      {"drop of slot " + slot.name,
       fmt::format("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE "
                   "slot_name = {} AND NOT active AND confirmed_flush_lsn = {} AND database = "
                   "pg_catalog.current_database()",
                   connection.literal(slot.name), connection.literal(slot.confirmed_flush.to_string()))});
  if (!dropped.is_ok()) return dropped.status();
  return dropped->has_value();
}

Result<bool> is_synchronous_standby(Connection& connection, const std::string& name) {
  return connection.query_value<bool>(
      {"whether commits wait for walcat",
       fmt::format("SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_replication r JOIN pg_catalog.pg_replication_slots s "
                   "ON s.active_pid = r.pid WHERE s.slot_name = {} AND r.sync_state IN ('sync', 'quorum'))",
                   connection.literal(name))});
}

std::string start_replication_command(const Connection& connection, const std::string& slot,
                                      const std::string& publication, const StreamRequest& request) {
  const bool streams = request.streaming && connection.server_version() >= 140000;
  const char* messages = connection.server_version() >= kVersionWithMessages ? ", messages 'true'" : "";
  return fmt::format("START_REPLICATION SLOT {} LOGICAL {} (proto_version '{}', publication_names {}{}{}{})",
                     quote_identifier(slot), request.position.to_string(),
                     request.two_phase ? 3
                     : streams         ? 2
                                       : 1,
                     plain_literal(quote_identifier(publication)), messages, streams ? ", streaming 'on'" : "",
                     request.two_phase ? ", two_phase 'on'" : "");
}

}  // namespace walcat
