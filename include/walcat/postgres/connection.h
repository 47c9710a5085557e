#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/postgres/answer.h"
#include "walcat/queue/stop_request.h"

namespace walcat {

/// How a connection is made and who may interrupt it.
struct ConnectionOptions {
  /// libpq connection string: URI or key=value. Our session settings come after it and win.
  std::string conn_str;
  /// Time for the whole connection attempt, all hosts together; `connect_timeout` in conn_str, in seconds, wins. Twice
  /// as long a server may say nothing to a question, unless that may wait for others (Wait). Looking up a host's name
  /// may take longer, and hears of no stop.
  std::chrono::milliseconds connect_timeout{30'000};
  /// Whether the connection is to carry a stream; without it, it takes plain SQL only.
  bool replication = true;
  /// Gives up connecting, and waiting for a query, when asked. Borrowed.
  const StopRequest* stop = nullptr;
  log::Logger logger;
};

/// What a session has said by NOTIFY.
struct Notification {
  /// The process of the server that serves the session: set by the server, so nobody can pretend to be another.
  int pid = 0;
  std::string channel;
  std::string payload;
};

/// A replication connection to one database, which also takes plain SQL until the stream begins.
///
/// Every session pins the settings that change a value's text: two servers, roles or databases set up differently
/// print the same value alike.
/// Threads: one thread at a time.
/// Errors: the code says what to do next (see classify_sqlstate); messages carry the server's words, its SQLSTATE and
///     a way out where there is one, never the password. Servers before 10 are kRefused.
/// Source: PostgreSQL manual, protocol-replication, libpq-connect, libpq-copy.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Ends the session and waits, for `timeout` at most, until the server's process has ended too: until then it counts
  /// among `max_wal_senders` and the role's connections. Nothing else may be asked of the connection afterwards.
  void end(std::chrono::milliseconds timeout);

  /// Whether the session is in no transaction, not even in one that has failed, and every statement has ended.
  bool is_idle() const;
  /// Such as 150020 for 15.20.
  int server_version() const;
  /// The database connected to, whatever the connection string left out.
  std::string database() const;
  std::string user() const;
  /// Such as UTF8 or SQL_ASCII.
  std::string server_encoding() const;
  /// `text` as an SQL string literal.
  std::string literal(std::string_view text) const;

  // Statements. Each waits until it ends, a stop is requested, or the connection breaks.
  //
  // Errors: also kUnavailable where none came in time, and the statement does not wait for others; kRefused for a text
  // that holds a NUL, and, unless the connection is to carry a stream, for more than one statement; kProtocolError for
  // an answer that does not fit the question, or takes more than kAnswerBytesMost.

  /// Leaves the rows of the answer in `answer`. Errors name the question where the answer does not fit it.
  Status ask(const Question& question, AnswerRows& answer);
  /// The rows of an answer, whose columns have these types: std::string, bool, char, Lsn or a number, each of them in
  /// std::optional if it may be null. What comes out has been checked whole: see TypedRows.
  template <typename... Columns>
  Result<std::vector<std::tuple<Columns...>>> query(const Question& question) {
    TypedRows<Columns...> answer;
    if (Status fits = ask(question, answer); !fits.is_ok()) return fits;
    return std::move(answer.rows());
  }
  /// The row of an answer that has just one.
  template <typename... Columns>
  Result<std::tuple<Columns...>> query_row(const Question& question) {
    TypedRows<Columns...> answer(1);
    if (Status fits = ask(question, answer); !fits.is_ok()) return fits;
    return in_context(answer.exactly_one(), question);
  }
  /// The row of an answer that may have one.
  template <typename... Columns>
  Result<std::optional<std::tuple<Columns...>>> query_optional_row(const Question& question) {
    TypedRows<Columns...> answer(1);
    if (Status fits = ask(question, answer); !fits.is_ok()) return fits;
    return in_context(answer.at_most_one(), question);
  }
  /// The one value of an answer that has just that.
  template <typename Column>
  Result<Column> query_value(const Question& question) {
    auto row = query_row<Column>(question);
    if (!row.is_ok()) return row.status();
    return std::get<0>(*std::move(row));
  }
  /// The row of `columns` texts, none of them null, of an answer that may have one.
  Result<std::optional<std::vector<std::string>>> query_texts(const Question& question, std::size_t columns);

  /// Runs one statement, whatever it returns.
  Status execute(const std::string& sql, Wait wait = Wait::kBriefly);
  /// The same with texts for `$1` and so on.
  Status execute(const std::string& sql, const std::vector<std::string>& parameters);

  /// The next notification that has arrived, whatever its channel; nothing if there is none. A few hundred are kept.
  std::optional<Notification> take_notification();

  // COPY ... TO STDOUT, in text form.

  /// Sends the command; its rows come from next_row() until that says that there are no more.
  Status start_copy(const std::string& sql);

  /// What read_row() found.
  struct RowPart {
    /// Bytes of a row, its line feed included; 0: none has arrived yet, or no more will come.
    std::size_t bytes = 0;
    /// Whether they end it. If not, the next call goes on within the row.
    bool is_whole = false;
    bool has_ended = false;
  };
  /// Copies the next row that has arrived to `to`, as much of it as `room` bytes hold (at least 1).
  ///
  /// Errors: why the command failed, after rows that came before.
  Result<RowPart> read_row(char* to, std::size_t room);

  // The stream. start_replication() must have succeeded.

  /// Sends START_REPLICATION; from then on the connection carries frames both ways.
  Status start_replication(const std::string& command);

  /// The next CopyData payload that has arrived, or nothing if none is complete.
  ///
  /// Ownership: valid until the next call of next_frame().
  /// Errors: what ended the stream.
  Result<std::optional<std::string_view>> next_frame();

  /// What consume_input() takes at once, in bytes, where the socket has as many; it may take more.
  static constexpr std::size_t kLookLeast = 8192;
  /// Bytes that the socket has now.
  std::size_t readable() const;
  /// Takes what the socket has, without waiting; the frames then come from next_frame().
  Status consume_input();

  /// Sleeps until the socket has something, the stop request is woken, or `timeout` is over. Whether it has something.
  bool wait(std::chrono::milliseconds timeout);

  /// Sleeps for `duration`, to within microseconds, unless the stop request is woken.
  void nap(std::chrono::microseconds duration);

  /// Like wait(), without looking at what arrives: for while there is nowhere to put it.
  void wait_without_reading(std::chrono::milliseconds timeout);

  /// Tells the server how far we are: `written` received, `flushed` stored for good.
  Status send_standby_status(Lsn written, Lsn flushed, bool reply_requested);

  /// Sends what is still queued, ends the stream and waits up to `timeout` for the server to agree.
  void end_replication(std::chrono::milliseconds timeout);

 private:
  struct Session;

  template <typename T>
  static Result<T> in_context(Result<T> answer, const Question& question) {
    return answer.is_ok() ? std::move(answer) : Result<T>(answer.status().with_context(question.subject));
  }

  explicit Connection(std::unique_ptr<Session> session);
  std::unique_ptr<Session> session_;
};

/// What to do about an error of this SQLSTATE (five characters; empty: the connection broke).
StatusCode classify_sqlstate(std::string_view sqlstate);

}  // namespace walcat
