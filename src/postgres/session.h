#pragma once

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "inflow.h"
#include "walcat/base/counted_notice.h"
#include "walcat/postgres/connection.h"

namespace walcat {

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

/// One libpq connection, and all waits for its server.
///
/// libpq waits for a socket without end in PQgetResult, unless PQisBusy has said that a result is there: so results
/// come from next_result() alone. The socket is in libpq's non-blocking mode, in which no other call of it waits, but
/// for the look-up of a host's name (getaddrinfo) while connecting, which nothing can interrupt.
/// Threads: that of the connection.
struct Connection::Session {
  ConnectionOptions options;
  /// Goes to the server with the connection, and is found in the session if that was begun for it.
  std::string mark;
  PgConnection pg;
  PgString frame;
  /// A notice that means that changes are being skipped in silence.
  Status fatal_notice;
  bool flush_pending = false;
  /// What is asked for, for people: what send() sees of the statement, if the asker does not put it better.
  std::string asked;
  /// Those that nobody has taken yet; few connections listen.
  std::deque<Notification> notifications;
  /// What has arrived since the login began, or since the answer in hand was asked for.
  Inflow inflow;

  /// Connects and logs in, within `options.connect_timeout`.
  ///
  /// Errors: also kUnavailable for a server that sends more than kLoginBytesMost bytes meanwhile: libpq keeps each
  ///     notification and each parameter of it.
  Status connect();
  Status take_session(int version, Connection& connection);

  /// Sends a statement, which is answered soon unless it may have to wait for others.
  Status send(const std::string& sql, Wait wait, const std::vector<std::string>& parameters = {});
  /// From now on waits so for the answer in hand: kBriefly gives up a server that is silent for twice the time that it
  /// may take to connect, or that takes five times that in all, as one may send byte by byte. kForOthers tells that
  /// there is no whole answer yet instead, after twice that time and whenever it has taken twice as long.
  void be_patient(Wait wait);
  /// The next result of the statement; null: there are no more.
  ///
  /// Errors: kStopped if a stop is requested, kUnavailable if patience is over or the connection broke. The answer is
  ///     left where it is then, so nothing more can be asked of the connection. kProtocolError if more has arrived than
  ///     an answer may take, as far as Inflow counts it, were it a single message that does not end; but libpq looks up
  ///     from the socket only when nothing more is there, so a server that is faster than the reader may send some of
  ///     it more.
  Result<PgResult> next_result();
  /// Takes what is left of the statement's results, and tells why it failed, if it did.
  Status finish();
  /// Takes the statement's results up to the one that begins a COPY: `mode` is PGRES_COPY_OUT or PGRES_COPY_BOTH.
  Status begin_copy(ExecStatusType mode);
  /// Takes the statement's results, row by row.
  ///
  /// Errors: also kProtocolError for rows that do not fit. The connection may be used afterwards, unless the answer was
  ///     too large.
  Status collect(AnswerRows& answer);

  /// Takes over the notifications that have arrived. libpq keeps as many as a server sends.
  void keep_notifications();

  /// Sends what is queued as far as the socket takes it.
  Status flush();
  /// Waits for the socket or the stop request, and tells what the socket is ready for, as poll(2) does: 0 where the
  /// wait ended for another reason.
  short poll_socket(short events, int timeout_ms);
  bool stop_requested() const { return options.stop != nullptr && options.stop->requested(); }

 private:
  using Clock = std::chrono::steady_clock;

  Status check_patience();
  void tell_of_long_wait(Clock::time_point now);
  Status take_row(const PGresult* result, AnswerRows& answer);
  void receive_notice(const PGresult* notice) noexcept;
  void tell_notice(const char* message);

  Wait wait_ = Wait::kBriefly;
  Clock::time_point asked_at_;
  Clock::time_point heard_at_;
  // When a wait for others is told of next.
  Clock::time_point tell_at_;
  // In bytes: what the rows of the answer in hand take.
  std::size_t kept_ = 0;
  RawRow row_;
  std::uint64_t notices_ = 0;
  CountedNotice further_notices_;
};

/// What a server may send until a login is done, in bytes. An honest one sends a few hundred, and a chain of
/// certificates of 100 KiB at most (OpenSSL's limit); the rest is for what triggers on login say.
inline constexpr std::uint64_t kLoginBytesMost = std::uint64_t{1} << 20;

/// The milliseconds until then, for poll(2): never negative, a minute at most.
int millis_until(std::chrono::steady_clock::time_point deadline);

/// Why the publication that START_REPLICATION named is not there.
Status unpublished_here(const std::string& message);

}  // namespace walcat
