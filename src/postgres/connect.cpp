#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <random>
#include <utility>

#include "errors.h"
#include "session.h"
#include "value_settings.h"

namespace walcat {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kOldestVersion = 100000;

// Known to every server from 10 on; what later ones added is SET after connecting.
constexpr const char* kOtherSettings =
    "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c client_min_messages=notice";

std::string pinned_settings() {
  std::string options;
  for (const auto& [name, value] : kValueSettings) options += fmt::format("-c {}={} ", name, value);
  return options + kOtherSettings;
}

// A setting that nobody knows and everybody may set: whose session it is.
constexpr const char* kSessionMark = "walcat.session";

std::string random_mark() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

// The user's own `options` stay, ours come after them and win.
std::string merged_options(const std::string& conn_str) {
  const PgOptions parsed(PQconninfoParse(conn_str.c_str(), nullptr));
  std::string theirs;
  for (const PQconninfoOption* option = parsed.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (std::strcmp(option->keyword, "options") == 0 && option->val != nullptr) theirs = option->val;
  }
  if (theirs.empty()) {
    const char* environment = std::getenv("PGOPTIONS");
    if (environment != nullptr) theirs = environment;
  }
  return theirs.empty() ? pinned_settings() : theirs + " " + pinned_settings();
}

// libpq leaves it to those who connect without blocking.
std::optional<std::chrono::milliseconds> connect_timeout_of(PGconn* connection) {
  const PgOptions used(PQconninfo(connection));
  for (const PQconninfoOption* option = used.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (std::strcmp(option->keyword, "connect_timeout") != 0 || option->val == nullptr) continue;
    const int seconds = std::atoi(option->val);
    // 1 means 2 to libpq, too.
    if (seconds > 0) return std::chrono::seconds(std::max(seconds, 2));
  }
  return std::nullopt;
}

Status too_much_for_a_login(std::uint64_t bytes) {
  // Whoever answers in a server's place may be gone tomorrow, as with all that libpq finds wrong in a login.
  return Status(StatusCode::kUnavailable,
                fmt::format("the server has sent {} KiB and the login is not done, which takes {} KiB at most; hint: "
                            "look whether host and port lead to a PostgreSQL server",
                            bytes >> 10, kLoginBytesMost >> 10))
      .with_kind(FaultKind::kProtocol);
}

// Logs in, which libpq does step by step. `secrets`: also takes those of each host that is tried; `whom`: as
// connection_error() has it. A template because Connection keeps its Session private.
template <typename Session>
Status log_in(Session& session, Secrets& secrets, const std::string& whom) {
  PGconn* pg = session.pg.get();
  const std::chrono::milliseconds most = session.options.connect_timeout;
  const SteadyTime deadline = std::chrono::steady_clock::now() + most;
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    // libpq's words are of all hosts that have been tried.
    if (state == PGRES_POLLING_FAILED) return connection_error(pg, secrets, whom);
    secrets.add(pg);
    if (session.stop_requested()) return {StatusCode::kStopped, "stopped"};
    if (std::chrono::steady_clock::now() >= deadline) {
      return {StatusCode::kUnavailable, fmt::format("no connection within {} ms", most.count())};
    }
    const short wanted = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    // Of a socket that is not ready libpq believes that it has connected, and then waits for it without an end.
    if (session.poll_socket(wanted, millis_until(deadline)) == 0) continue;
    state = session.inflow.count(pg, [&] { return PQconnectPoll(pg); });
    if (session.inflow.bytes() > kLoginBytesMost) return too_much_for_a_login(session.inflow.bytes());
  }
  return Status::ok();
}

}  // namespace

Status Connection::Session::connect() {
  const std::string pinned = fmt::format("{} -c {}={}", merged_options(options.conn_str), kSessionMark, mark);
  // The user's string comes first and is expanded; what follows wins over it.
  // A dead peer is noticed after a minute: by keepalives, or, where something sent waits for its receipt, by the last.
  const std::array keywords{"dbname",           "options",
                            "client_encoding",  "fallback_application_name",
                            "keepalives_idle",  "keepalives_interval",
                            "keepalives_count", "tcp_user_timeout",
                            "replication"};
  const std::array values{
      options.conn_str.c_str(), pinned.c_str(), "UTF8", "walcat", "30", "10", "3", "60000", "database"};
  std::vector<const char*> names(keywords.begin(), keywords.end());
  if (!options.replication) names.back() = nullptr;
  names.push_back(nullptr);
  std::vector<const char*> settings(values.begin(), values.end());
  settings.push_back(nullptr);
  pg.reset(PQconnectStartParams(names.data(), settings.data(), 1));
  if (pg == nullptr) return {StatusCode::kUnavailable, "out of memory"};
  // Only verbose errors carry the SQLSTATE while connecting.
  PQsetErrorVerbosity(pg.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(
      pg.get(), [](void* self, const PGresult* notice) { static_cast<Session*>(self)->receive_notice(notice); }, this);

  if (PQstatus(pg.get()) == CONNECTION_BAD) return connection_error(pg.get());
  Secrets secrets(pg.get());
  // Before the login: libpq would wait without end for a server that asks for passwords and reads none. It forgets with
  // that what it has begun to say, whom it connects to.
  const std::string whom = text_or_empty(PQerrorMessage(pg.get()));
  if (PQsetnonblocking(pg.get(), 1) != 0) return connection_error(pg.get());
  options.connect_timeout = connect_timeout_of(pg.get()).value_or(options.connect_timeout);
  if (Status done = log_in(*this, secrets, whom); !done.is_ok()) return done;
  PQsetErrorVerbosity(pg.get(), PQERRORS_DEFAULT);
  keep_notifications();
  return Status::ok();
}

// What is set here holds for the session. A pooler may lend one to many, and what was to be pinned at the start has not
// come to it: so nothing is set where the mark has not come with it.
Status Connection::Session::take_session(int version, Connection& connection) {
  // Not at the start: then it could not be given back to what the role has.
  std::string settings = "pg_catalog.set_config('search_path', 'pg_catalog', false) IS NOT NULL";
  // Servers refuse names they do not know, so these wait until the version is known.
  if (version >= 140000) settings += " AND pg_catalog.set_config('idle_session_timeout', '0', false) IS NOT NULL";
  // What somebody's lock or function holds up would go on when we have gone, and hold locks. Servers on some other
  // systems cannot tell, and refuse this. A slot that is being made is waited for by the next walcat, which sees it.
  if (version >= 140000 && !options.replication) {
    settings +=
        " AND CASE WHEN pg_catalog.strpos(pg_catalog.version(), 'linux') OPERATOR(pg_catalog.>) 0 THEN "
        "pg_catalog.set_config('client_connection_check_interval', '2s', false) ELSE '' END IS NOT NULL";
  }
  if (version >= 170000) settings += " AND pg_catalog.set_config('transaction_timeout', '0', false) IS NOT NULL";
  const auto is_ours = connection.query_value<bool>(
      {"whether the session is ours",
       fmt::format("SELECT CASE WHEN pg_catalog.current_setting('{}', true) OPERATOR(pg_catalog.=) '{}' THEN {} ELSE "
                   "false END",
                   kSessionMark, mark, settings)});
  if (!is_ours.is_ok() || *is_ours) return is_ours.status();
  return Status(StatusCode::kRefused,
                "the settings that walcat connects with have not come to the server: something in between, such as "
                "PgBouncer, lends its own sessions, where values would print otherwise and settings would stay for "
                "others; hint: connect to the server directly, not through a pooler")
      .with_kind(FaultKind::kConnection);
}

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  auto session = std::make_unique<Session>();
  session->options = options;
  session->mark = random_mark();
  if (const Status connected = session->connect(); !connected.is_ok()) return connected;
  std::unique_ptr<Connection> connection(new Connection(std::move(session)));
  const int version = connection->server_version();
  if (version <= 0) {
    return Status(StatusCode::kProtocolError,
                  "the server does not say its version; hint: connect to the server directly, not through a pooler")
        .with_kind(FaultKind::kProtocol);
  }
  if (version < kOldestVersion) {
    return Status(StatusCode::kRefused,
                  fmt::format("server version is {}.{}; 10 or later is needed", version / 10000, version / 100 % 100));
  }
  if (const Status set = connection->session_->take_session(version, *connection); !set.is_ok()) return set;
  // Such a server sends whatever bytes it holds, or, asked for UTF-8, breaks off at the first that is none.
  if (connection->server_encoding() == "SQL_ASCII") {
    if (const Status set = connection->execute("SET client_encoding = 'SQL_ASCII'"); !set.is_ok()) return set;
  }
  return connection;
}

}  // namespace walcat
