#include "walcat/postgres/server.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "walcat/base/utf8.h"
#include "walcat/model/heartbeat.h"

namespace walcat {

namespace {

constexpr int kDecodingOnStandby = 160000;
constexpr int kVersionWithLoginTriggers = 170000;

// A line a timeline, and there are few.
constexpr std::size_t kHistoryBytesMost = std::size_t{4} << 20;

// What a server says of itself; a pooler may say something else.
Status explained(const Status& status) {
  if (status.code() != StatusCode::kProtocolError) return status;
  return Status(status.code(), status.message() + "; hint: connect to the server directly, not through a pooler")
      .with_kind(status.kind());
}

// Reads a number that a line begins with, up to a tab.
std::optional<std::uint32_t> leading_number(std::string_view line) {
  std::uint32_t number = 0;
  const bool is_number = AnswerColumn<std::uint32_t>::read(line.substr(0, line.find('\t')), number);
  return is_number ? std::optional(number) : std::nullopt;
}

}  // namespace

Result<ServerIdentity> identify_server(Connection& connection) {
  auto row = connection.query_row<std::string, std::uint32_t, Lsn, std::optional<std::string>>(
      {"IDENTIFY_SYSTEM", "IDENTIFY_SYSTEM"});
  if (!row.is_ok()) return explained(row.status());
  auto& [system_identifier, timeline, position, database] = *row;
  return ServerIdentity{std::move(system_identifier), timeline, position,
                        with_replacements(database.value_or(connection.database()))};
}

Result<std::string> system_identifier_of(Connection& connection) {
  return connection.query_value<std::string>(
      {"the system identifier", "SELECT system_identifier FROM pg_catalog.pg_control_system()"});
}

Status check_server(Connection& connection) {
  const auto wal_level = connection.query_value<std::string>({"wal_level", "SHOW wal_level"});
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
  auto rows = connection.query<std::string>(
      {"login triggers",
       "SELECT evtname FROM pg_catalog.pg_event_trigger WHERE evtevent = 'login' AND evtenabled IN ('O', 'A') ORDER BY "
       "1"});
  if (!rows.is_ok()) return rows.status();
  for (auto& [name] : *rows) names.push_back(std::move(name));
  return names;
}

Result<bool> acts_as_superuser(Connection& connection) {
  return connection.query_value<bool>(
      {"the role's rights", "SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user"});
}

Result<bool> is_in_recovery(Connection& connection) {
  return connection.query_value<bool>({"the server's state", "SELECT pg_catalog.pg_is_in_recovery()"});
}

Result<std::vector<TimelineSwitch>> timeline_history(Connection& connection, std::uint32_t timeline) {
  const auto file = connection.query_row<std::string, std::string>(
      {fmt::format("TIMELINE_HISTORY {}", timeline), fmt::format("TIMELINE_HISTORY {}", timeline)});
  if (!file.is_ok()) return file.status().with_context("timeline history");
  const auto& [name, content] = *file;
  if (content.size() > kHistoryBytesMost) {
    return misfit(fmt::format("it has {} bytes, not {} at most", content.size(), kHistoryBytesMost))
        .with_context(fmt::format("TIMELINE_HISTORY {}", timeline));
  }
  return parse_timeline_history(content);
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
    const auto timeline = leading_number(line);
    if (position && timeline.value_or(0) > 0) switches.push_back({*timeline, *position});
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
  const auto row = connection.query_row<int, std::int64_t>(
      {"the number of slots",
       "SELECT pg_catalog.current_setting('max_replication_slots'), pg_catalog.count(*) "
       "FROM pg_catalog.pg_replication_slots"});
  if (!row.is_ok()) return row.status();
  const auto& [most, used] = *row;
  if (used < most) return Status::ok();
  return {StatusCode::kRefused,
          fmt::format("all {} replication slots are in use; hint: raise max_replication_slots (restart), or drop slots "
                      "that nobody reads",
                      most)};
}

Result<std::chrono::milliseconds> wal_sender_timeout(Connection& connection) {
  const auto timeout = connection.query_value<int>(
      {"wal_sender_timeout", "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'"});
  if (!timeout.is_ok()) return timeout.status();
  return std::chrono::milliseconds(*timeout);
}

}  // namespace walcat
