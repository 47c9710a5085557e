#include "walcat/postgres/slot.h"

#include <fmt/format.h>

#include <charconv>

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

std::int64_t to_integer(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Result<std::optional<SlotState>> find_slot(Connection& connection, const std::string& name) {
  const char* lost = connection.server_version() >= 130000 ? "COALESCE(wal_status = 'lost', false)" : "false";
  const char* reason = connection.server_version() >= 170000 ? "invalidation_reason" : "NULL";
  const char* two_phase = connection.server_version() >= kVersionWithTwoPhase ? "two_phase" : "false";
  auto rows = connection.query(
      fmt::format("SELECT plugin, database, COALESCE(active_pid, 0), {}, confirmed_flush_lsn, {}, {}, temporary FROM "
                  "pg_catalog.pg_replication_slots WHERE slot_name = {}",
                  lost, reason, two_phase, connection.literal(name)));
  if (!rows.is_ok()) return rows.status();
  if (rows->empty()) return std::optional<SlotState>();
  const Row& row = rows->front();
  SlotState slot;
  slot.plugin = row[0].value_or("");
  slot.database = row[1].value_or("");
  const std::string pid = row[2].value_or("0");
  std::from_chars(pid.data(), pid.data() + pid.size(), slot.active_pid);
  slot.lost = row[3] == "t";
  slot.two_phase = row[6] == "t";
  slot.temporary = row[7] == "t";
  slot.confirmed_flush = Lsn::parse(row[4].value_or("")).value_or(Lsn{});
  slot.lost_reason = row[5].value_or("");
  return std::optional(slot);
}

Result<std::optional<SlotUsage>> slot_usage(Connection& connection, const std::string& name) {
  const char* limits = connection.server_version() >= 130000 ? "wal_status, safe_wal_size, pg_catalog.pg_size_bytes("
                                                               "pg_catalog.current_setting('max_slot_wal_keep_size'))"
                                                             : "NULL, NULL, NULL";
  auto rows = connection.query(
      fmt::format("SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() "
                  "ELSE pg_catalog.pg_current_wal_lsn() END, restart_lsn, {} FROM pg_catalog.pg_replication_slots "
                  "WHERE slot_name = {}",
                  limits, connection.literal(name)));
  if (!rows.is_ok()) return rows.status();
  if (rows->empty()) return std::optional<SlotUsage>();
  const Row& row = rows->front();
  SlotUsage usage;
  usage.current = Lsn::parse(row[0].value_or("")).value_or(Lsn{});
  usage.restart = Lsn::parse(row[1].value_or("")).value_or(Lsn{});
  usage.wal_status = row[2].value_or("");
  if (row[3]) usage.safe_bytes = to_integer(*row[3]);
  if (row[4]) usage.limit_bytes = to_integer(*row[4]);
  return std::optional(usage);
}

Result<std::optional<Lsn>> write_heartbeat(Connection& connection, Lsn position) {
  auto rows = connection.query(fmt::format(
      "SELECT CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN CASE WHEN pg_catalog.pg_current_wal_lsn() > "
      "'{}' THEN pg_catalog.pg_logical_emit_message(false, {}, '') END END",
      position.to_string(), connection.literal(kHeartbeatPrefix)));
  if (!rows.is_ok()) return rows.status();
  if (rows->empty() || !rows->front().front()) return std::optional<Lsn>();
  return Lsn::parse(*rows->front().front());
}

Result<Lsn> create_slot(Connection& connection, const std::string& name) {
  auto rows = connection.query(
      fmt::format("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput NOEXPORT_SNAPSHOT", quote_identifier(name)),
      Wait::kForOthers);
  if (!rows.is_ok()) return rows.status().with_context("create slot " + name);
  const auto point =
      rows->size() == 1 && rows->front().size() > 1 ? Lsn::parse(rows->front()[1].value_or("")) : std::nullopt;
  if (!point)
    return Status(StatusCode::kProtocolError, "CREATE_REPLICATION_SLOT: unreadable answer")
        .with_kind(FaultKind::kProtocol);
  return *point;
}

Status drop_slot(Connection& connection, const std::string& name) {
  return connection.execute("DROP_REPLICATION_SLOT " + quote_identifier(name)).with_context("drop slot " + name);
}

Result<std::vector<InactiveSlot>> inactive_slots(Connection& connection) {
  // A standby has no current position to measure from.
  auto rows = connection.query(
      "SELECT slot_name, plugin, confirmed_flush_lsn, COALESCE(pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff("
      "CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
      "pg_catalog.pg_current_wal_lsn() END, restart_lsn)) || ' of WAL', 'no WAL') FROM pg_catalog.pg_replication_slots "
      "WHERE NOT active AND NOT temporary AND slot_type = 'logical' AND database = pg_catalog.current_database() ORDER "
      "BY slot_name");
  if (!rows.is_ok()) return rows.status();
  std::vector<InactiveSlot> slots;
  for (const Row& row : *rows) {
    slots.push_back({row[0].value_or(""), row[1].value_or(""), Lsn::parse(row[2].value_or("")).value_or(Lsn{}),
                     row[3].value_or("")});
  }
  return slots;
}

Result<bool> drop_inactive_slot(Connection& connection, const InactiveSlot& slot) {
  auto rows = connection.query(
      fmt::format("SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM pg_catalog.pg_replication_slots WHERE "
                  "slot_name = {} AND NOT active AND confirmed_flush_lsn = {} AND database = "
                  "pg_catalog.current_database()",
                  connection.literal(slot.name), connection.literal(slot.confirmed_flush.to_string())));
  if (!rows.is_ok()) return rows.status();
  return !rows->empty();
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
