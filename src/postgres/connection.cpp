#include "walcat/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "errors.h"
#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

struct FreePg {
  void operator()(char* memory) const { PQfreemem(memory); }
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using PgString = std::unique_ptr<char, FreePg>;
using PgConnection = std::unique_ptr<PGconn, FreePg>;
using PgResult = std::unique_ptr<PGresult, FreePg>;
using PgOptions = std::unique_ptr<PQconninfoOption, FreePg>;

constexpr int kOldestVersion = 100000;

// Known to every server from 10 on; what later ones added is SET after connecting.
constexpr const char* kPinnedSettings =
    "-c DateStyle=ISO,YMD -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=3 -c bytea_output=hex "
    "-c lc_monetary=C -c statement_timeout=0 -c lock_timeout=0 "
    "-c idle_in_transaction_session_timeout=0 -c client_min_messages=notice";

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
  return theirs.empty() ? kPinnedSettings : theirs + " " + kPinnedSettings;
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

void put_u64(char* to, std::uint64_t value) {
  const std::uint64_t wire = __builtin_bswap64(value);
  std::memcpy(to, &wire, sizeof wire);
}

// The slot decodes the past, with the catalogs of that time: a publication that was made later, or dropped and made
// again since, is not there yet. The name of the server's function tells it from other objects, in every language.
bool tells_unpublished(const PGresult* result) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  if (sqlstate == nullptr || function == nullptr || std::strcmp(sqlstate, "42704") != 0) return false;
  return std::strcmp(function, "get_publication_oid") == 0 || std::strcmp(function, "GetPublicationByName") == 0;
}

Status unpublished_here(const char* message) {
  return Status(StatusCode::kGap,
                fmt::format("the publication did not exist at this point of the log, it was made, or made again, later "
                            "(the server says: {})",
                            message == nullptr ? "" : message))
      .with_kind(FaultKind::kSlot);
}

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

int millis_until(SteadyTime deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 60'000));
}

}  // namespace

struct Connection::Session {
  ConnectionOptions options;
  PgConnection pg;
  PgString frame;
  /// A notice that means that changes are being skipped in silence.
  Status fatal_notice;
  bool flush_pending = false;
  /// Whether the statement in hand is to be answered soon.
  bool is_brief = false;

  bool stop_requested() const { return options.stop != nullptr && options.stop->requested(); }
  bool poll_socket(short events, int timeout_ms);
  Status connect();
  Status send(const std::string& sql, const std::vector<std::string>& parameters = {});
  Result<Rows> collect();
  void receive_notice(const PGresult* notice);
  Result<PgResult> next_result();
  Status flush();
};

// Waits for the socket or the stop request, and tells whether there is something to read. Who waits looks at the state
// afterwards, so why else it woke does not matter.
bool Connection::Session::poll_socket(short events, int timeout_ms) {
  const int wake = options.stop == nullptr ? -1 : options.stop->wake().fd();
  std::array<pollfd, 2> fds{{{PQsocket(pg.get()), events, 0}, {wake, POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), timeout_ms);
  if ((fds[1].revents & POLLIN) != 0) options.stop->wake().drain();
  return (fds[0].revents & POLLIN) != 0;
}

Status Connection::Session::connect() {
  const std::string pinned = merged_options(options.conn_str);
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
  options.connect_timeout = connect_timeout_of(pg.get()).value_or(options.connect_timeout);
  const SteadyTime deadline = std::chrono::steady_clock::now() + options.connect_timeout;
  for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
    if (state == PGRES_POLLING_FAILED) return connection_error(pg.get());
    if (stop_requested()) return stopped();
    if (std::chrono::steady_clock::now() >= deadline) {
      return {StatusCode::kUnavailable, fmt::format("no connection within {} ms", options.connect_timeout.count())};
    }
    poll_socket(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, millis_until(deadline));
    state = PQconnectPoll(pg.get());
  }
  PQsetErrorVerbosity(pg.get(), PQERRORS_DEFAULT);
  if (PQsetnonblocking(pg.get(), 1) != 0) return connection_error(pg.get());
  return Status::ok();
}

void Connection::Session::receive_notice(const PGresult* notice) {
  const char* message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  const char* function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  if (message == nullptr) return;
  // PostgreSQL 18 only warns about a missing publication, and then skips its changes for good.
  if (function != nullptr && std::strcmp(function, "LoadPublications") == 0) {
    fatal_notice = unpublished_here(message);
    return;
  }
  options.logger.info("server: {}", message);
}

// By the extended protocol the server takes one statement and no more, whatever a condition in it says; walsenders do
// not speak it. libpq would send what stands before a NUL.
Status Connection::Session::send(const std::string& sql, const std::vector<std::string>& parameters) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (has_nul(sql) || std::any_of(parameters.begin(), parameters.end(), has_nul)) {
    return {StatusCode::kRefused, "a text for the server holds a NUL byte"};
  }
  if (options.replication && parameters.empty()) {
    return PQsendQuery(pg.get(), sql.c_str()) == 0 ? connection_error(pg.get()) : Status::ok();
  }
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const int sent = PQsendQueryParams(pg.get(), sql.c_str(), static_cast<int>(values.size()), nullptr, values.data(),
                                     nullptr, nullptr, 0);
  return sent == 0 ? connection_error(pg.get()) : Status::ok();
}

Result<Rows> Connection::Session::collect() {
  Rows rows;
  Status failed;
  for (;;) {
    auto result = next_result();
    if (!result.is_ok()) return result.status();
    if (*result == nullptr) break;
    const ExecStatusType state = PQresultStatus(result->get());
    if (state == PGRES_FATAL_ERROR && failed.is_ok()) failed = result_error(result->get(), pg.get());
    for (int r = 0; r < PQntuples(result->get()); ++r) {
      Row& row = rows.emplace_back();
      for (int c = 0; c < PQnfields(result->get()); ++c) {
        row.push_back(PQgetisnull(result->get(), r, c) != 0
                          ? std::nullopt
                          : std::optional<std::string>(PQgetvalue(result->get(), r, c)));
      }
    }
  }
  if (!failed.is_ok()) return failed;
  return rows;
}

Result<PgResult> Connection::Session::next_result() {
  while (PQflush(pg.get()) == 1) poll_socket(POLLIN | POLLOUT, 1000);
  for (auto heard = std::chrono::steady_clock::now(); PQisBusy(pg.get()) != 0;) {
    if (stop_requested()) return stopped();
    const bool arrived = poll_socket(POLLIN, 1000);
    const auto now = std::chrono::steady_clock::now();
    if (arrived) heard = now;
    if (is_brief && now - heard >= 2 * options.connect_timeout) {
      return Status(StatusCode::kUnavailable,
                    fmt::format("no answer within {} s", 2 * options.connect_timeout.count() / 1000));
    }
    if (PQconsumeInput(pg.get()) == 0) return connection_error(pg.get());
  }
  return PgResult(PQgetResult(pg.get()));
}

Status Connection::Session::flush() {
  const int state = PQflush(pg.get());
  if (state < 0) return connection_error(pg.get());
  flush_pending = state == 1;
  return Status::ok();
}

Connection::Connection(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Connection::~Connection() = default;

void Connection::end(std::chrono::milliseconds timeout) {
  const int socket = PQsocket(session_->pg.get());
  if (socket < 0) return;
  // libpq says goodbye and closes at once. A half-closed socket says it as well, and still shows the other side's end.
  ::shutdown(socket, SHUT_WR);
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::array<char, 4096> rest;
  for (pollfd fd{socket, POLLIN, 0}; ::poll(&fd, 1, millis_until(deadline)) > 0;) {
    if (::recv(socket, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) return;
  }
}

Result<std::unique_ptr<Connection>> Connection::open(const ConnectionOptions& options) {
  auto session = std::make_unique<Session>();
  session->options = options;
  if (const Status connected = session->connect(); !connected.is_ok()) return connected;
  std::unique_ptr<Connection> connection(new Connection(std::move(session)));
  const int version = connection->server_version();
  if (version < kOldestVersion) {
    return Status(StatusCode::kRefused,
                  fmt::format("server version is {}.{}; 10 or later is needed", version / 10000, version / 100 % 100));
  }
  // Not at the start: then it could not be given back to what the role has.
  std::string settings = "SELECT pg_catalog.set_config('search_path', 'pg_catalog', false)";
  // Servers refuse names they do not know, so these wait until the version is known.
  if (version >= 140000) settings += ", pg_catalog.set_config('idle_session_timeout', '0', false)";
  if (version >= 170000) settings += ", pg_catalog.set_config('transaction_timeout', '0', false)";
  if (const Status set = connection->execute(settings); !set.is_ok()) return set;
  // Such a server sends whatever bytes it holds, or, asked for UTF-8, breaks off at the first that is none.
  if (connection->server_encoding() == "SQL_ASCII") {
    if (const Status set = connection->execute("SET client_encoding = 'SQL_ASCII'"); !set.is_ok()) return set;
  }
  return connection;
}

int Connection::server_version() const { return PQserverVersion(session_->pg.get()); }
std::string Connection::database() const { return PQdb(session_->pg.get()); }
std::string Connection::user() const { return PQuser(session_->pg.get()); }

std::string Connection::server_encoding() const {
  const char* encoding = PQparameterStatus(session_->pg.get(), "server_encoding");
  return encoding == nullptr ? std::string() : encoding;
}

std::string Connection::literal(std::string_view text) const {
  const PgString escaped(PQescapeLiteral(session_->pg.get(), text.data(), text.size()));
  return escaped == nullptr ? "NULL" : std::string(escaped.get());
}

Result<Rows> Connection::query(const std::string& sql, Wait wait) {
  session_->is_brief = session_->options.expects_answers && wait == Wait::kBriefly;
  if (const Status sent = session_->send(sql); !sent.is_ok()) return sent;
  return session_->collect();
}

Result<Rows> Connection::query(const std::string& sql, const std::vector<std::string>& parameters) {
  session_->is_brief = session_->options.expects_answers;
  if (const Status sent = session_->send(sql, parameters); !sent.is_ok()) return sent;
  return session_->collect();
}

Status Connection::execute(const std::string& sql, Wait wait) { return query(sql, wait).status(); }

Status Connection::start_copy(const std::string& sql) {
  PGconn* pg = session_->pg.get();
  session_->is_brief = false;
  if (const Status sent = session_->send(sql); !sent.is_ok()) return sent;
  auto result = session_->next_result();
  if (!result.is_ok()) return result.status();
  if (*result != nullptr && PQresultStatus(result->get()) == PGRES_COPY_OUT) return Status::ok();
  const Status failed = *result == nullptr ? connection_error(pg) : result_error(result->get(), pg);
  while (*result != nullptr) {
    result = session_->next_result();
    if (!result.is_ok()) return result.status();
  }
  return failed;
}

std::optional<Notification> Connection::take_notification() {
  const std::unique_ptr<PGnotify, decltype(&PQfreemem)> taken(PQnotifies(session_->pg.get()), &PQfreemem);
  if (taken == nullptr) return std::nullopt;
  return Notification{taken->be_pid, taken->relname, taken->extra};
}

// PQgetCopyData allocates each row; this does not. In COPY's text a line feed ends a row and stands nowhere else.
Result<Connection::RowPart> Connection::read_row(char* to, std::size_t room) {
  PGconn* pg = session_->pg.get();
  const int most = static_cast<int>(std::min<std::size_t>(room, std::numeric_limits<int>::max()));
  const int size = PQgetlineAsync(pg, to, most);
  if (size > 0) return RowPart{static_cast<std::size_t>(size), to[size - 1] == '\n', false};
  if (size == 0) return RowPart{};
  Status failed;
  for (;;) {
    auto result = session_->next_result();
    if (!result.is_ok()) return result.status();
    if (*result == nullptr) break;
    if (PQresultStatus(result->get()) != PGRES_COMMAND_OK && failed.is_ok()) failed = result_error(result->get(), pg);
  }
  if (!failed.is_ok()) return failed;
  return RowPart{0, false, true};
}

Status Connection::start_replication(const std::string& command) {
  PGconn* pg = session_->pg.get();
  session_->is_brief = session_->options.expects_answers;
  if (PQsendQuery(pg, command.c_str()) == 0) return connection_error(pg);
  auto result = session_->next_result();
  if (!result.is_ok()) return result.status();
  if (*result == nullptr || PQresultStatus(result->get()) != PGRES_COPY_BOTH) return result_error(result->get(), pg);
  return Status::ok();
}

Result<std::optional<std::string_view>> Connection::next_frame() {
  PGconn* pg = session_->pg.get();
  char* payload = nullptr;
  const int size = PQgetCopyData(pg, &payload, 1);
  session_->frame.reset(payload);
  // Before a frame: what came behind the notice may be a position behind what is skipped.
  if (!session_->fatal_notice.is_ok()) return session_->fatal_notice;
  if (size > 0) return std::optional(std::string_view(payload, static_cast<std::size_t>(size)));
  if (size == 0) return std::optional<std::string_view>();
  if (size == -2) return connection_error(pg);
  // -1: the stream ended; the reason follows.
  const PgResult result(PQgetResult(pg));
  if (result == nullptr || PQresultStatus(result.get()) == PGRES_COMMAND_OK ||
      PQresultStatus(result.get()) == PGRES_COPY_IN) {
    return Status(StatusCode::kUnavailable, "the server ended the stream");
  }
  if (tells_unpublished(result.get())) {
    return unpublished_here(PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY));
  }
  return result_error(result.get(), pg);
}

Status Connection::consume_input() {
  PGconn* pg = session_->pg.get();
  if (PQconsumeInput(pg) == 0) return connection_error(pg);
  return session_->flush_pending ? session_->flush() : Status::ok();
}

bool Connection::wait(std::chrono::milliseconds timeout) {
  const auto events = static_cast<short>(session_->flush_pending ? POLLIN | POLLOUT : POLLIN);
  return session_->poll_socket(events, static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 60'000)));
}

void Connection::nap(std::chrono::microseconds duration) {
  // The default slack of 50 us would be a quarter of a usual nap.
  thread_local const int slack = ::prctl(PR_SET_TIMERSLACK, 1'000UL);
  static_cast<void>(slack);
  const StopRequest* stop = session_->options.stop;
  pollfd wake{stop == nullptr ? -1 : stop->wake().fd(), POLLIN, 0};
  const timespec time{0, static_cast<long>(duration.count()) * 1000};
  if (::ppoll(&wake, 1, &time, nullptr) > 0) stop->wake().drain();
}

void Connection::wait_without_reading(std::chrono::milliseconds timeout) {
  const auto events = static_cast<short>(session_->flush_pending ? POLLOUT : 0);
  session_->poll_socket(events, static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 60'000)));
  // A failed flush shows again, with its reason, when the next status is sent.
  if (session_->flush_pending) [[maybe_unused]]
    const Status flushed = session_->flush();
}

Status Connection::send_standby_status(Lsn written, Lsn flushed, bool reply_requested) {
  std::array<char, 34> message;
  message[0] = 'r';
  put_u64(&message[1], written.value);
  put_u64(&message[9], flushed.value);
  put_u64(&message[17], flushed.value);
  put_u64(&message[25], static_cast<std::uint64_t>(postgres_now_micros()));
  message[33] = reply_requested ? 1 : 0;
  // Queued at the most once per status timer: when the socket is full, libpq keeps the message for the next flush.
  if (PQputCopyData(session_->pg.get(), message.data(), message.size()) < 0) {
    return connection_error(session_->pg.get());
  }
  return session_->flush();
}

void Connection::end_replication(std::chrono::milliseconds timeout) {
  PGconn* pg = session_->pg.get();
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  if (PQputCopyEnd(pg, nullptr) < 0) return;
  for (;;) {
    if (!session_->flush().is_ok()) return;
    char* payload = nullptr;
    int size = 0;
    while ((size = PQgetCopyData(pg, &payload, 1)) > 0) PQfreemem(payload);
    if (size < 0 && !session_->flush_pending) return;
    if (std::chrono::steady_clock::now() >= deadline) return;
    std::array<pollfd, 1> fds{
        {{PQsocket(pg), static_cast<short>(session_->flush_pending ? POLLIN | POLLOUT : POLLIN), 0}}};
    ::poll(fds.data(), fds.size(), millis_until(deadline));
    if (PQconsumeInput(pg) == 0) return;
  }
}

}  // namespace walcat
