#include "errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <vector>

#include "walcat/base/shortage.h"
#include "walcat/base/utf8.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"

namespace walcat {

namespace {

struct Remedy {
  std::string_view sqlstate;
  std::string_view words;  // A part of the message that must be there; empty: any.
  std::string_view hint;
};

// Of each field of a server's error, in characters, and of what all hosts together have said to a connection attempt.
constexpr std::size_t kWordsMost = 2'000;
constexpr std::size_t kWordsOfHostsMost = 16'000;

// First match wins. What names an object stands first: the words of the others may be a part of such a name.
constexpr std::array kRemedies = std::to_array<Remedy>({
    {"28P01", "", "check user and password in conn_str, PGPASSWORD or the passfile"},
    {"28000", "", "check the role and pg_hba.conf; logical replication matches ordinary database entries there"},
    {"42501", "CONNECT privilege", "GRANT CONNECT ON DATABASE <database> TO <user>"},
    // Of one that the role is connected to.
    {"42501", "permission denied for database", "GRANT CREATE ON DATABASE <database> TO <user>"},
    {"42501", "permission denied for function", "GRANT EXECUTE ON FUNCTION <the function> TO <user>"},
    {"42501", "permission denied for", "GRANT SELECT ON <the table> and USAGE ON its schema TO <user>"},
    {"42501", "row-level security", "rows would be left out: ALTER ROLE <user> BYPASSRLS, or snapshot.mode: never"},
    {"42501", "walsender", "ALTER ROLE <user> REPLICATION (Amazon RDS: GRANT rds_replication TO <user>)"},
    {"42501", "REPLICATION attribute", "ALTER ROLE <user> REPLICATION (Amazon RDS: GRANT rds_replication TO <user>)"},
    {"42501", "replication", "ALTER ROLE <user> REPLICATION (Amazon RDS: GRANT rds_replication TO <user>)"},
    // The one of our settings that came with 9.6.
    {"42704", "idle_in_transaction_session_timeout", "the server is older than PostgreSQL 10, which is needed"},
    {"3D000", "", "check the database's name in conn_str"},
    {"53300", "", "raise max_wal_senders or max_connections, or end other clients"},
    {"53400", "", "raise max_replication_slots, or drop slots that nobody reads"},
    {"55006", "", "another client reads this slot; walcat takes over when it ends"},
    {"08P01", "", "connect to the server directly, not through a pooler"},
});

std::string_view remedy_for(std::string_view sqlstate, std::string_view message) {
  for (const Remedy& remedy : kRemedies) {
    if (remedy.sqlstate == sqlstate && message.find(remedy.words) != std::string_view::npos) return remedy.hint;
  }
  return {};
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

// Takes `28P01` out of "FATAL:  28P01: password authentication failed"; the last host tried decides.
std::string take_sqlstate(std::string& message) {
  std::string found;
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
    for (auto at = message.find(severity); at != std::string::npos; at = message.find(severity, at + 1)) {
      const auto begin = at + severity.size();
      if (begin + 7 > message.size() || message.compare(begin + 5, 2, ": ") != 0) continue;
      if (!is_sqlstate(std::string_view(message).substr(begin, 5))) continue;
      found = message.substr(begin, 5);
      message.erase(begin, 7);
    }
  }
  return found;
}

// Source positions in the server's code help nobody who operates it.
void drop_location_lines(std::string& message) {
  for (auto at = message.find("LOCATION:"); at != std::string::npos; at = message.find("LOCATION:")) {
    const auto end = message.find('\n', at);
    message.erase(at, end == std::string::npos ? std::string::npos : end - at + 1);
  }
}

// The log that a slot needs is gone, or the slot was invalidated since it was looked at: the stream can't go on.
bool tells_a_gap(std::string_view sqlstate, std::string_view message) {
  const auto has = [&](std::string_view words) { return message.find(words) != std::string_view::npos; };
  if (sqlstate == "58P01") return has("has already been removed");
  return sqlstate == "55000" && has("replication slot") && (has("can no longer") || has("cannot read from"));
}

// Somebody was quicker, or is making the slot still: the next look at the slot says whose it is. The name of the
// server's function tells slots from other objects, in every language.
bool tells_slot_exists(std::string_view sqlstate, const PGresult* result) {
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  return sqlstate == "42710" && function != nullptr && std::string_view(function) == "ReplicationSlotCreate";
}

void replace(std::string& text, std::string_view from, const char* to) {
  const auto at = text.find(from);
  if (at != std::string::npos && to != nullptr) text.replace(at, from.size(), quote_identifier(to));
}

// What a server or libpq has said. A secret may be a word that tells errors apart, so a mask must not stand there.
struct Said {
  std::string sqlstate;
  // As it came: errors are told apart by it, and nobody is shown it.
  std::string raw;
  // The same as it is shown.
  std::string masked;
};

std::string with_hint(const Said& said, const PGconn* connection) {
  const auto& [sqlstate, raw, masked] = said;
  std::string message = masked;
  std::string hint(remedy_for(sqlstate, raw));
  if (!sqlstate.empty()) message += fmt::format(" (SQLSTATE {})", sqlstate);
  if (hint.empty()) return message;
  replace(hint, "<user>", PQuser(connection));
  replace(hint, "<user>", PQuser(connection));
  replace(hint, "<database>", PQdb(connection));
  return fmt::format("{}; hint: {}", message, hint);
}

// A result's words, each field as `show` makes it.
template <typename Show>
std::string words_of(const PGresult* result, Show show) {
  const auto field = [&](int code) { return show(PQresultErrorField(result, code)); };
  std::string message = field(PG_DIAG_MESSAGE_PRIMARY);
  if (message.empty()) message = trimmed(show(PQresultErrorMessage(result)));
  if (message.empty()) message = "the connection broke";
  if (const std::string detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty()) message += ": " + detail;
  if (const std::string hint = field(PG_DIAG_MESSAGE_HINT); !hint.empty()) message += " (" + hint + ")";
  return message;
}

Said said_by(const PGresult* result, const PGconn* connection) {
  return {text_or_empty(PQresultErrorField(result, PG_DIAG_SQLSTATE)), words_of(result, text_or_empty),
          words_of(result, [&](const char* text) { return words(text, connection, kWordsMost); })};
}

// Takes the SQLSTATE out of `text`, which is what libpq says under verbose errors, and what helps nobody.
std::string take_verbosity(std::string& text) {
  std::string sqlstate = take_sqlstate(text);
  drop_location_lines(text);
  text = trimmed(std::move(text));
  return sqlstate;
}

Said said_while_connecting(const PGconn* connection, const Secrets& secrets, std::string_view whom) {
  std::string text = text_or_empty(PQerrorMessage(connection));
  if (!text.starts_with(whom)) text.insert(0, whom);
  Said said{"", shortened(text.c_str(), kWordsOfHostsMost), shortened(secrets.masked(text).c_str(), kWordsOfHostsMost)};
  take_verbosity(said.masked);
  said.sqlstate = take_verbosity(said.raw);
  if (said.masked.empty()) said.masked = "the connection broke";
  return said;
}

// libpq's own words; those of a server begin with a severity. The same row would come with the next attempt.
bool tells_of_our_memory(std::string_view message) {
  return message.starts_with("out of memory") || message.starts_with("cannot allocate memory for");
}

}  // namespace

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

std::string shortened(const char* text, std::size_t most) {
  const std::string_view whole = text == nullptr ? std::string_view() : text;
  const std::string_view shown = first_characters(whole, most);
  return shown.size() == whole.size() ? std::string(whole) : std::string(shown) + "..";
}

std::string words(const char* text, const PGconn* connection, std::size_t most) {
  // Before it is cut, which could leave a part.
  return shortened(Secrets(connection).masked(text_or_empty(text)).c_str(), most);
}

StatusCode classify_sqlstate(std::string_view sqlstate) {
  const std::string_view family = sqlstate.substr(0, 2);
  if (sqlstate.empty()) return StatusCode::kUnavailable;
  if (sqlstate == "08P01") return StatusCode::kRefused;
  if (sqlstate == "57P04") return StatusCode::kRefused;
  for (const std::string_view soon_over : {"57P01", "57P02", "57P03", "55006"}) {
    if (sqlstate == soon_over) return StatusCode::kWaiting;
  }
  if (family == "08" || family == "57" || family == "53" || family == "40") return StatusCode::kUnavailable;
  for (const std::string_view transient : {"55P03", "25P03", "25P04"}) {
    if (sqlstate == transient) return StatusCode::kUnavailable;
  }
  return StatusCode::kRefused;
}

FaultKind fault_kind(std::string_view sqlstate) {
  const std::string_view family = sqlstate.substr(0, 2);
  if (family == "28" || sqlstate == "42501") return FaultKind::kAuthentication;
  if (sqlstate.empty() || family == "08" || family == "57" || sqlstate == "53300" || sqlstate == "3D000") {
    return FaultKind::kConnection;
  }
  return sqlstate == "55006" || sqlstate == "53400" ? FaultKind::kSlot : FaultKind::kUnknown;
}

Status result_error(const PGresult* result, const PGconn* connection) {
  const Said said = said_by(result, connection);
  if (tells_slot_exists(said.sqlstate, result)) {
    return Status(StatusCode::kWaiting, with_hint(said, connection)).with_kind(FaultKind::kSlot);
  }
  const StatusCode code = tells_a_gap(said.sqlstate, said.raw) ? StatusCode::kGap : classify_sqlstate(said.sqlstate);
  return Status(code, with_hint(said, connection)).with_kind(fault_kind(said.sqlstate));
}

Status connection_error(const PGconn* connection, const Secrets& secrets, std::string_view whom) {
  const Said said = said_while_connecting(connection, secrets, whom);
  if (said.sqlstate.empty() && tells_of_our_memory(said.raw)) return status_of(std::bad_alloc(), "connection");
  if (said.sqlstate.empty() && PQconnectionNeedsPassword(connection) != 0) {
    return Status(StatusCode::kRefused, said.masked + "; hint: give a password in conn_str, PGPASSWORD or the passfile")
        .with_kind(FaultKind::kAuthentication);
  }
  return Status(classify_sqlstate(said.sqlstate), with_hint(said, connection)).with_kind(fault_kind(said.sqlstate));
}

}  // namespace walcat
