#include "walcat/reader/incremental_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>
#include <utility>
#include <vector>

#include "follower_voice.h"
#include "follower_watch.h"
#include "walcat/base/json_string.h"
#include "walcat/base/printable.h"
#include "walcat/base/secret.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/vouchers.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::seconds kReminder{10};
constexpr std::size_t kChannelBytes = 16;
constexpr std::size_t kShownMost = 2'000;

// What ends the wait for an answer to each kind of question.
bool is_answer(SnapshotSignal::Kind asked, const std::string& state, bool wait_for_end) {
  switch (asked) {
    case SnapshotSignal::Kind::kPause: return state == "paused" || state == "idle" || state == "refused";
    case SnapshotSignal::Kind::kResume: return state == "resumed" || state == "idle" || state == "refused";
    case SnapshotSignal::Kind::kCancel: return state == "cancelled" || state == "idle" || state == "refused";
    default: break;
  }
  return state == "complete" || state == "refused" || state == "cancelled" || (!wait_for_end && state == "accepted");
}

// A question, and the session that vouches for it.
class VouchedQuestion {
 public:
  // Nobody else is to hear the answer, which may quote the table's rows, nor to speak in the follower's place.
  VouchedQuestion(Connection& connection, SnapshotSignal signal, const std::string& slot)
      : connection_(connection), slot_(slot), signal_(std::move(signal)) {
    signal_.snapshot.channel = "walcat_" + random_hex(kChannelBytes);
    content_ = to_message(signal_, slot);
  }

  // Our ear, our word for the question, then the question.
  Status ask_first() {
    // The name is for people.
    for (const std::string& sql :
         {"SET application_name = " + connection_.literal("walcat snapshot " + signal_.snapshot.id),
          "LISTEN " + quote_identifier(signal_.snapshot.channel),
          std::string("SET default_transaction_read_only = off"), std::string("SET synchronous_commit = local")}) {
      if (Status done = connection_.execute(sql); !done.is_ok()) return done;
    }
    if (Status vouched = vouch(); !vouched.is_ok()) return vouched;
    return ask();
  }

  Status ask() {
    return connection_.execute("SELECT pg_catalog.pg_logical_emit_message(true, $1, $2)",
                               {std::string(kSnapshotPrefix), content_});
  }

 private:
  // What the follower would refuse is refused here.
  Status vouch() {
    const auto read = parse_snapshot_signal(content_, slot_);
    if (!read.is_ok()) return read.status();
    std::vector<std::string> locks;
    for (const std::int64_t lock : Vouchers::locks_of((*read)->digest)) locks.push_back(std::to_string(lock));
    return connection_.execute(
        "SELECT pg_catalog.pg_advisory_lock($1), pg_catalog.pg_advisory_lock($2), "
        "pg_catalog.pg_advisory_lock($3), pg_catalog.pg_advisory_lock($4)",
        locks);
  }

  Connection& connection_;
  const std::string slot_;
  SnapshotSignal signal_;
  std::string content_;
};

}  // namespace

std::string to_payload(const SnapshotNews& news, const std::string& slot) {
  return fmt::format(R"({{"slot":{},"id":{},"state":{},"text":{}}})", json_string(slot), json_string(news.id),
                     json_string(news.state), json_string(news.text));
}

std::optional<SnapshotNews> parse_news(std::string_view payload, const std::string& slot) {
  try {
    simdjson::dom::parser parser;
    const simdjson::padded_string padded(payload);
    const simdjson::dom::element json = parser.parse(padded);
    if (std::string_view(json["slot"]) != slot) return std::nullopt;
    return SnapshotNews{std::string(std::string_view(json["id"])), std::string(std::string_view(json["state"])),
                        std::string(std::string_view(json["text"]))};
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;  // Somebody else's.
  }
}

Result<bool> is_followed(const DatabaseOptions& options, const StopRequest& stop) {
  auto connection = Connection::open(
      {.conn_str = options.conn_str, .replication = false, .stop = &stop, .logger = log::Logger(options.label)});
  if (!connection.is_ok()) return connection.status();
  const auto slot = find_slot(**connection, options.slot_name);
  if (!slot.is_ok()) return slot.status();
  return slot->has_value() && (*slot)->active_pid != 0;
}

Status ask_follower(const DatabaseOptions& options, const SnapshotSignal& signal, const AnswerWait& wait,
                    const StopRequest& stop, const std::function<void(const SnapshotNews&)>& report) {
  const log::Logger logger(options.label);
  auto opened = Connection::open({.conn_str = options.conn_str, .replication = false, .stop = &stop, .logger = logger});
  if (!opened.is_ok()) return opened.status();
  Connection& connection = **opened;
  if (connection.server_version() < kVersionWithMessages) {
    return {StatusCode::kRefused,
            "a running walcat is asked by a message in its stream, which servers before 14 do not send; hint: "
            "--dump prints the rows here"};
  }
  FollowerVoice voice(connection, options.slot_name);
  if (Status may = voice.learn(); !may.is_ok()) return may;
  VouchedQuestion question(connection, signal, options.slot_name);
  if (Status asked = question.ask_first(); !asked.is_ok()) return asked;
  FollowerWatch follower(connection, options.slot_name, wait.timeout, logger);
  auto reminder = std::chrono::steady_clock::now() + kReminder;
  for (bool heard = false;;) {
    while (const auto told = connection.take_notification()) {
      auto news = parse_news(told->payload, options.slot_name);
      if (!news || news->id != signal.snapshot.id) continue;
      const auto is_his = voice.is_heard_from(told->pid);
      if (!is_his.is_ok()) return is_his.status();
      // Whoever is not believed, or has gone before he could be, may have been the follower: then he is asked again.
      heard = *is_his;
      if (!*is_his) continue;
      news->text = printable(news->text, kShownMost);
      report(*news);
      if (!is_answer(signal.kind, news->state, wait.for_end)) continue;
      const bool was_cancelled = signal.kind == SnapshotSignal::Kind::kStart && news->state == "cancelled";
      if (was_cancelled) return {StatusCode::kRefused, "the snapshot was cancelled"};
      return news->state == "refused" ? Status(StatusCode::kRefused, news->text) : Status::ok();
    }
    connection.wait(kWait);
    if (stop.requested()) return {StatusCode::kStopped, "stopped"};
    if (Status alive = connection.consume_input(); !alive.is_ok()) return alive;
    const auto is_new = follower.look();
    if (!is_new.is_ok()) return is_new.status();
    if (*is_new) {
      voice.forget();
    } else {
      if (heard || std::chrono::steady_clock::now() < reminder) continue;
      reminder += kReminder;
      logger.info("no answer yet; asking again (the stream of slot {} may not have come to the question)",
                  options.slot_name);
    }
    // A follower that died over the first question does not hear it again, nor does its successor.
    if (Status asked = question.ask(); !asked.is_ok()) return asked;
  }
}

}  // namespace walcat
