#include "walcat/postgres/server.h"

#include <fmt/format.h>

#include <charconv>

#include "walcat/model/heartbeat.h"

namespace walcat {

namespace {

constexpr int kDecodingOnStandby = 160000;
constexpr int kVersionWithLoginTriggers = 170000;

template <typename T>
T to_number(const std::optional<std::string>& text) {
  T number{};
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

// The one value of a query that returns one.
Result<std::string> single_value(Connection& connection, const std::string& sql) {
  auto rows = connection.query(sql);
  if (!rows.is_ok()) return rows.status();
  if (rows->size() != 1 || rows->front().size() != 1 || !rows->front().front()) {
    return Status(StatusCode::kProtocolError, fmt::format("{}: one value expected", sql))
        .with_kind(FaultKind::kProtocol);
  }
  return *rows->front().front();
}

}  // namespace

Result<ServerIdentity> identify_server(Connection& connection) {
  auto rows = connection.query("IDENTIFY_SYSTEM");
  if (!rows.is_ok()) return rows.status();
  if (rows->size() != 1 || rows->front().size() < 4) {
    return Status(StatusCode::kRefused, "IDENTIFY_SYSTEM gave no answer; connect to the server directly, not a pooler");
  }
  const Row& row = rows->front();
  const auto position = Lsn::parse(row[2].value_or(""));
  if (!row[0] || !position)
    return Status(StatusCode::kProtocolError, "IDENTIFY_SYSTEM: unreadable answer").with_kind(FaultKind::kProtocol);
  return ServerIdentity{*row[0], to_number<std::uint32_t>(row[1]), *position, row[3].value_or(connection.database())};
}

Result<std::string> system_identifier_of(Connection& connection) {
  const auto rows = connection.query("SELECT system_identifier FROM pg_catalog.pg_control_system()");
  if (!rows.is_ok()) return rows.status();
  return rows->empty() ? "" : rows->front().front().value_or("");
}

Status check_server(Connection& connection) {
  const auto wal_level = single_value(connection, "SHOW wal_level");
  if (!wal_level.is_ok()) return wal_level.status();
  if (*wal_level != "logical") {
    return {StatusCode::kRefused, fmt::format("wal_level is {}, logical is needed; hint: ALTER SYSTEM SET wal_level = "
                                              "'logical' and restart the server",
                                              *wal_level)};
  }
  const auto in_recovery = is_in_recovery(connection);
  if (!in_recovery.is_ok()) return in_recovery.status();
  if (*in_recovery && connection.server_version() < kDecodingOnStandby) {
    return {StatusCode::kRefused, "the server is a standby; logical decoding there needs PostgreSQL 16 or later"};
  }
  return Status::ok();
}

Result<std::vector<std::string>> login_triggers(Connection& connection) {
  std::vector<std::string> names;
  if (connection.server_version() < kVersionWithLoginTriggers) return names;
  const auto rows = connection.query(
      "SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtevent = 'login' AND evtenabled IN ('O', 'A') ORDER BY "
      "1");
  if (!rows.is_ok()) return rows.status();
  for (const Row& row : *rows) names.push_back(row.front().value_or(""));
  return names;
}

Result<bool> acts_as_superuser(Connection& connection) {
  const auto answer = single_value(connection, "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user");
  if (!answer.is_ok()) return answer.status();
  return *answer == "t";
}

Result<bool> is_in_recovery(Connection& connection) {
  const auto answer = single_value(connection, "SELECT pg_catalog.pg_is_in_recovery()");
  if (!answer.is_ok()) return answer.status();
  return *answer == "t";
}

Result<std::vector<TimelineSwitch>> timeline_history(Connection& connection, std::uint32_t timeline) {
  auto rows = connection.query(fmt::format("TIMELINE_HISTORY {}", timeline));
  if (!rows.is_ok()) return rows.status().with_context("timeline history");
  if (rows->size() != 1 || rows->front().size() < 2) {
    return Status(StatusCode::kProtocolError, "TIMELINE_HISTORY: unreadable answer");
  }
  return parse_timeline_history(rows->front()[1].value_or(""));
}

// A line is: timeline TAB position TAB reason.
std::vector<TimelineSwitch> parse_timeline_history(std::string_view content) {
  std::vector<TimelineSwitch> switches;
  while (!content.empty()) {
    const auto end = content.find('\n');
    const std::string_view line = content.substr(0, end);
    content = end == std::string_view::npos ? std::string_view() : content.substr(end + 1);
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const auto position = Lsn::parse(line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1));
    const auto timeline = to_number<std::uint32_t>(std::string(line.substr(0, tab)));
    if (position && timeline > 0) switches.push_back({timeline, *position});
  }
  return switches;
}

Status flush_log(Connection& connection) {
  const auto in_recovery = is_in_recovery(connection);
  if (!in_recovery.is_ok()) return in_recovery.status();
  if (*in_recovery) return Status::ok();
  // A commit is flushed, and all that was written before it, only if its transaction has an ID and has written
  // something. A message outside of transactions is such a thing, and takes no place among the stream's transactions.
  if (const Status set = connection.execute("SET synchronous_commit = local"); !set.is_ok()) return set;
  return connection.execute(
      fmt::format("SELECT pg_catalog.txid_current(), pg_catalog.pg_logical_emit_message(false, {}, '')",
                  connection.literal(kHeartbeatPrefix)));
}

Status check_free_slot(Connection& connection) {
  auto rows = connection.query(
      "SELECT pg_catalog.current_setting('max_replication_slots'), pg_catalog.count(*) "
      "FROM pg_catalog.pg_replication_slots");
  if (!rows.is_ok()) return rows.status();
  const int most = to_number<int>(rows->front()[0]);
  const int used = to_number<int>(rows->front()[1]);
  if (used < most) return Status::ok();
  return {StatusCode::kRefused,
          fmt::format("all {} replication slots are in use; hint: raise max_replication_slots (restart), or drop slots "
                      "that nobody reads",
                      most)};
}

Result<std::chrono::milliseconds> wal_sender_timeout(Connection& connection) {
  const auto text =
      single_value(connection, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'");
  if (!text.is_ok()) return text.status();
  return std::chrono::milliseconds(to_number<std::int64_t>(*text));
}

}  // namespace walcat
