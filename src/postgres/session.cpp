#include "session.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>

#include "errors.h"

namespace walcat {

namespace {

constexpr int kSilencesOfAnAnswer = 5;
constexpr int kLookMilliseconds = 1'000;

// Every statement may bring notices, and a server may send them without being asked.
constexpr std::uint64_t kNoticesShown = 100;
constexpr std::size_t kNoticeShownMost = 1'000;
constexpr std::size_t kCommandShownMost = 40;

// Those that are kept, and what NOTIFY lets them be.
constexpr std::size_t kNotificationsMost = 256;
constexpr int kPassedOverMost = 10'000;
constexpr std::size_t kPayloadMost = 8'000;

Status stopped() { return {StatusCode::kStopped, "stopped"}; }

// Anything but rows, or the end of a statement that has none. In COPY mode libpq gives the same result again and again.
Status failure(const PGresult* result, const PGconn* connection) {
  switch (PQresultStatus(result)) {
    case PGRES_EMPTY_QUERY:
    case PGRES_COMMAND_OK:
    case PGRES_SINGLE_TUPLE:
    case PGRES_TUPLES_OK: return Status::ok();
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
      return Status(StatusCode::kProtocolError, "the server began a COPY that was not asked for")
          .with_kind(FaultKind::kProtocol);
    default: return result_error(result, connection);
  }
}

Status too_large() { return misfit(fmt::format("it is larger than {} MiB", kAnswerBytesMost >> 20)); }

// Such as LOCK TABLE: what stands in capitals before anything that is a name or a value.
std::string_view command_of(std::string_view sql) {
  const std::size_t end = sql.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_ ");
  std::string_view command = sql.substr(0, end);
  if (end != std::string_view::npos) command = command.substr(0, command.rfind(' ') + 1);
  while (command.ends_with(' ')) command.remove_suffix(1);
  return command.substr(0, kCommandShownMost);
}

bool is_copy(const PGresult* result) {
  const ExecStatusType state = PQresultStatus(result);
  return state == PGRES_COPY_IN || state == PGRES_COPY_OUT || state == PGRES_COPY_BOTH;
}

}  // namespace

int millis_until(std::chrono::steady_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count() + 1, 0, 60'000));
}

Status unpublished_here(const std::string& message) {
  return Status(StatusCode::kGap,
                fmt::format("the publication did not exist at this point of the log, it was made, or made again, later "
                            "(the server says: {})",
                            message))
      .with_kind(FaultKind::kSlot);
}

// Who waits looks at the state afterwards, so why else it woke does not matter.
short Connection::Session::poll_socket(short events, int timeout_ms) {
  const int wake = options.stop == nullptr ? -1 : options.stop->wake().fd();
  std::array<pollfd, 2> fds{{{PQsocket(pg.get()), events, 0}, {wake, POLLIN, 0}}};
  ::poll(fds.data(), fds.size(), timeout_ms);
  if ((fds[1].revents & POLLIN) != 0) options.stop->wake().drain();
  return fds[0].revents;
}

// By the extended protocol the server takes one statement and no more, whatever a condition in it says; walsenders do
// not speak it. libpq would send what stands before a NUL.
Status Connection::Session::send(const std::string& sql, Wait wait, const std::vector<std::string>& parameters) {
  const auto has_nul = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  if (has_nul(sql) || std::any_of(parameters.begin(), parameters.end(), has_nul)) {
    return {StatusCode::kRefused, "a text for the server holds a NUL byte"};
  }
  be_patient(wait);
  asked = command_of(sql);
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  const bool is_simple = options.replication && parameters.empty();
  const int sent = is_simple ? PQsendQuery(pg.get(), sql.c_str())
                             : PQsendQueryParams(pg.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                                 values.data(), nullptr, nullptr, 0);
  // Else libpq would gather all rows first, however many there are.
  return sent == 0 || PQsetSingleRowMode(pg.get()) == 0 ? connection_error(pg.get()) : Status::ok();
}

void Connection::Session::be_patient(Wait wait) {
  wait_ = wait;
  asked.clear();
  asked_at_ = heard_at_ = Clock::now();
  tell_at_ = asked_at_ + 2 * options.connect_timeout;
  inflow.begin(pg.get());
  kept_ = 0;
}

Status Connection::Session::check_patience() {
  const auto gone = [this](std::string what) {
    const Status silent(StatusCode::kUnavailable, std::move(what));
    return asked.empty() ? silent : silent.with_context(asked);
  };
  const auto now = Clock::now();
  if (wait_ == Wait::kForOthers) {
    tell_of_long_wait(now);
    return Status::ok();
  }
  const std::chrono::milliseconds silence = 2 * options.connect_timeout;
  if (now - heard_at_ >= silence) {
    return gone(fmt::format("no answer within {} s", silence.count() / 1000));
  }
  const std::chrono::milliseconds whole = kSilencesOfAnAnswer * silence;
  if (now - asked_at_ < whole) return Status::ok();
  return gone(fmt::format("no whole answer within {} s", whole.count() / 1000));
}

// Who looks at the server sees the whole statement there, whose values are not for a log.
void Connection::Session::tell_of_long_wait(Clock::time_point now) {
  if (now < tell_at_) return;
  const auto silence = std::chrono::duration_cast<std::chrono::seconds>(now - asked_at_);
  tell_at_ = now + silence;
  options.logger.warning(
      "{}: process {} of the server has given no whole answer for {} s; it may wait for a lock, or for a transaction "
      "to end; "
      "hint: "
      "SELECT wait_event, pg_blocking_pids(pid) FROM pg_stat_activity WHERE pid = {}",
      asked, PQbackendPID(pg.get()), silence.count(), PQbackendPID(pg.get()));
}

Result<PgResult> Connection::Session::next_result() {
  while (PQisBusy(pg.get()) != 0) {
    if (Status sent = flush(); !sent.is_ok()) return sent;
    if (stop_requested()) return stopped();
    if (Status patient = check_patience(); !patient.is_ok()) return patient;
    const short ready = poll_socket(static_cast<short>(flush_pending ? POLLIN | POLLOUT : POLLIN), kLookMilliseconds);
    if ((ready & POLLIN) != 0) heard_at_ = Clock::now();
    if (inflow.count(pg.get(), [&] { return PQconsumeInput(pg.get()); }) == 0) return connection_error(pg.get());
    if (inflow.bytes() > kAnswerBytesMost) return too_large();
    keep_notifications();
  }
  return PgResult(PQgetResult(pg.get()));
}

Status Connection::Session::finish() {
  for (Status failed;;) {
    auto result = next_result();
    if (!result.is_ok()) return result.status();
    if (*result == nullptr) return failed;
    if (failed.is_ok()) failed = failure(result->get(), pg.get());
    if (is_copy(result->get())) return failed;
  }
}

Status Connection::Session::begin_copy(ExecStatusType mode) {
  auto result = next_result();
  if (!result.is_ok()) return result.status();
  if (*result == nullptr) return connection_error(pg.get());
  if (PQresultStatus(result->get()) == mode) return Status::ok();
  Status failed = failure(result->get(), pg.get());
  if (is_copy(result->get())) return failed;
  Status ended = finish();
  if (!failed.is_ok() || !ended.is_ok()) return failed.is_ok() ? ended : failed;
  return Status(StatusCode::kProtocolError, "the server answered a COPY or the stream's command with something else")
      .with_kind(FaultKind::kProtocol);
}

// What does not fit is taken to its end all the same, which may be an error of the server that explains it; but not for
// long, as each row that is passed over costs time.
Status Connection::Session::collect(AnswerRows& answer) {
  bool has_ended = false;
  int passed_over = 0;
  for (Status failed, fits;;) {
    auto result = next_result();
    if (!result.is_ok()) return result.status();
    if (*result == nullptr) {
      if (failed.is_ok() && fits.is_ok() && !has_ended) return misfit("it has no rows, and none were announced");
      return failed.is_ok() ? fits : failed;
    }
    if (failed.is_ok()) failed = failure(result->get(), pg.get());
    if (is_copy(result->get())) return failed;
    const ExecStatusType state = PQresultStatus(result->get());
    if (!fits.is_ok() && ++passed_over == kPassedOverMost) return fits;
    if (!fits.is_ok() || (state != PGRES_SINGLE_TUPLE && state != PGRES_TUPLES_OK)) continue;
    fits = has_ended ? misfit("there are several") : take_row(result->get(), answer);
    has_ended = has_ended || state == PGRES_TUPLES_OK;
    if (kept_ > kAnswerBytesMost) return too_large();
  }
}

// Each result has one row, but for the last one, which has none.
Status Connection::Session::take_row(const PGresult* result, AnswerRows& answer) {
  const auto columns = static_cast<std::size_t>(PQnfields(result));
  if (columns != answer.columns()) return misfit(fmt::format("it has {} columns, not {}", columns, answer.columns()));
  for (int r = 0; r < PQntuples(result); ++r) {
    row_.clear();
    kept_ += answer.row_bytes();
    for (int c = 0; c < PQnfields(result); ++c) {
      row_.push_back(PQgetisnull(result, r, c) != 0 ? std::nullopt
                                                    : std::optional<std::string_view>(PQgetvalue(result, r, c)));
      kept_ += row_.back() ? row_.back()->size() : 0;
    }
    if (Status fits = answer.take(row_); !fits.is_ok()) return fits;
  }
  return Status::ok();
}

Status Connection::Session::flush() {
  const int state = PQflush(pg.get());
  if (state < 0) return connection_error(pg.get());
  flush_pending = state == 1;
  return Status::ok();
}

void Connection::Session::keep_notifications() {
  for (;;) {
    const std::unique_ptr<PGnotify, decltype(&PQfreemem)> taken(PQnotifies(pg.get()), &PQfreemem);
    if (taken == nullptr) return;
    const bool is_sane = std::strlen(taken->relname) < kPayloadMost && std::strlen(taken->extra) < kPayloadMost;
    if (!is_sane || notifications.size() == kNotificationsMost) continue;
    notifications.push_back({taken->be_pid, taken->relname, taken->extra});
  }
}

// libpq calls this, and is C, which no exception may pass. Without memory a notice is not told; but the session must
// end where changes are skipped, so what says that needs none.
void Connection::Session::receive_notice(const PGresult* notice) noexcept {
  // PostgreSQL 18 only warns about a missing publication, and then skips its changes for good.
  const char* function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);
  const bool is_fatal = function != nullptr && std::strcmp(function, "LoadPublications") == 0;
  const char* message = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  if (message == nullptr) return;
  try {
    if (is_fatal) {
      fatal_notice = unpublished_here(words(message, pg.get(), kNoticeShownMost).c_str());
    } else {
      tell_notice(message);
    }
  } catch (const std::exception&) {
    if (is_fatal) fatal_notice = Status(StatusCode::kUnavailable, "out of memory");
  }
}

// Words are looked through for secrets only where they are shown.
void Connection::Session::tell_notice(const char* message) {
  const auto shown = [&] { return words(message, pg.get(), kNoticeShownMost); };
  if (++notices_ <= kNoticesShown) return options.logger.info("server: {}", shown());
  const std::uint64_t count = further_notices_.add(1, CountedNotice::Clock::now());
  if (count > 0) options.logger.info("server: {} more notices, the last one: {}", count, shown());
}

}  // namespace walcat
