#include "walcat/postgres/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "errors.h"
#include "session.h"
#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

// Of what the server says of a publication that is not there, in characters.
constexpr std::size_t kUnpublishedMost = 2'000;

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

}  // namespace

Connection::Connection(std::unique_ptr<Session> session) : session_(std::move(session)) {}
Connection::~Connection() = default;

void Connection::end(std::chrono::milliseconds timeout) {
  const int socket = PQsocket(session_->pg.get());
  if (socket < 0) return;
  // libpq says goodbye and closes at once. A half-closed socket says it as well, and still shows the other side's end.
  ::shutdown(socket, SHUT_WR);
  const SteadyTime deadline = std::chrono::steady_clock::now() + timeout;
  std::array<char, 4096> rest;
  // A server may go on sending for ever.
  while (std::chrono::steady_clock::now() < deadline) {
    pollfd fd{socket, POLLIN, 0};
    if (::poll(&fd, 1, millis_until(deadline)) <= 0) return;
    if (::recv(socket, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) return;
  }
}

bool Connection::is_idle() const { return PQtransactionStatus(session_->pg.get()) == PQTRANS_IDLE; }
int Connection::server_version() const { return PQserverVersion(session_->pg.get()); }
std::string Connection::database() const { return text_or_empty(PQdb(session_->pg.get())); }
std::string Connection::user() const { return text_or_empty(PQuser(session_->pg.get())); }

std::string Connection::server_encoding() const {
  return text_or_empty(PQparameterStatus(session_->pg.get(), "server_encoding"));
}

std::string Connection::literal(std::string_view text) const {
  const PgString escaped(PQescapeLiteral(session_->pg.get(), text.data(), text.size()));
  return escaped == nullptr ? "NULL" : std::string(escaped.get());
}

Status Connection::ask(const Question& question, AnswerRows& answer) {
  if (Status sent = session_->send(question.sql, question.wait, question.parameters); !sent.is_ok()) return sent;
  session_->asked = question.subject;
  const Status fits = session_->collect(answer);
  return fits.code() == StatusCode::kProtocolError ? fits.with_context(question.subject) : fits;
}

Result<std::optional<std::vector<std::string>>> Connection::query_texts(const Question& question, std::size_t columns) {
  TextRows answer(columns);
  if (Status fits = ask(question, answer); !fits.is_ok()) return fits;
  return in_context(answer.at_most_one(), question);
}

Status Connection::execute(const std::string& sql, Wait wait) {
  const Status sent = session_->send(sql, wait);
  return sent.is_ok() ? session_->finish() : sent;
}

Status Connection::execute(const std::string& sql, const std::vector<std::string>& parameters) {
  const Status sent = session_->send(sql, Wait::kBriefly, parameters);
  return sent.is_ok() ? session_->finish() : sent;
}

Status Connection::start_copy(const std::string& sql) {
  if (const Status sent = session_->send(sql, Wait::kForOthers); !sent.is_ok()) return sent;
  return session_->begin_copy(PGRES_COPY_OUT);
}

std::optional<Notification> Connection::take_notification() {
  session_->keep_notifications();
  if (session_->notifications.empty()) return std::nullopt;
  std::optional<Notification> taken(std::move(session_->notifications.front()));
  session_->notifications.pop_front();
  return taken;
}

// PQgetCopyData allocates each row; this does not. In COPY's text a line feed ends a row and stands nowhere else.
Result<Connection::RowPart> Connection::read_row(char* to, std::size_t room) {
  PGconn* pg = session_->pg.get();
  const int most = static_cast<int>(std::min<std::size_t>(room, std::numeric_limits<int>::max()));
  const int size = PQgetlineAsync(pg, to, most);
  if (size > 0) return RowPart{static_cast<std::size_t>(size), to[size - 1] == '\n', false};
  if (size == 0) return RowPart{};
  session_->be_patient(Wait::kBriefly);
  if (const Status ended = session_->finish(); !ended.is_ok()) return ended;
  return RowPart{0, false, true};
}

Status Connection::start_replication(const std::string& command) {
  if (const Status sent = session_->send(command, Wait::kBriefly); !sent.is_ok()) return sent;
  return session_->begin_copy(PGRES_COPY_BOTH);
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
  // -1: the stream ended; the reason follows, or what libpq can't read for one.
  session_->be_patient(Wait::kBriefly);
  const auto result = session_->next_result();
  if (!result.is_ok()) return result.status().with_context("the server ended the stream and does not say why");
  if (*result == nullptr || PQresultStatus(result->get()) == PGRES_COMMAND_OK ||
      PQresultStatus(result->get()) == PGRES_COPY_IN) {
    return Status(StatusCode::kUnavailable, "the server ended the stream");
  }
  if (tells_unpublished(result->get())) {
    return unpublished_here(words(PQresultErrorField(result->get(), PG_DIAG_MESSAGE_PRIMARY), pg, kUnpublishedMost));
  }
  return result_error(result->get(), pg);
}

std::size_t Connection::readable() const {
  int bytes = 0;
  return ::ioctl(PQsocket(session_->pg.get()), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

Status Connection::consume_input() {
  PGconn* pg = session_->pg.get();
  if (PQconsumeInput(pg) == 0) return connection_error(pg);
  session_->keep_notifications();
  return session_->flush_pending ? session_->flush() : Status::ok();
}

bool Connection::wait(std::chrono::milliseconds timeout) {
  const auto events = static_cast<short>(session_->flush_pending ? POLLIN | POLLOUT : POLLIN);
  const auto milliseconds = static_cast<int>(std::clamp<std::int64_t>(timeout.count(), 0, 60'000));
  return (session_->poll_socket(events, milliseconds) & POLLIN) != 0;
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
    session_->keep_notifications();
  }
}

}  // namespace walcat
