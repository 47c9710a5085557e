#include "walcat/reader/incremental_request.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <chrono>

#include "follower_watch.h"
#include "walcat/base/json_string.h"
#include "walcat/base/utf8.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::seconds kReminder{10};

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

}  // namespace

std::string asker_name(std::string_view id) { return fmt::format("walcat snapshot {}", id); }

std::string to_payload(const SnapshotNews& news, const std::string& slot) {
  return fmt::format(R"({{"slot":{},"id":{},"state":{},"text":{}}})", json_string(slot),
                     json_string(with_replacements(news.id)), json_string(news.state),
                     json_string(with_replacements(news.text)));
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
  const std::string question =
      fmt::format("SELECT pg_catalog.pg_logical_emit_message(true, {}, {})", connection.literal(kSnapshotPrefix),
                  connection.literal(to_message(signal, options.slot_name)));
  // Our name and our ear, then the question.
  for (const std::string& sql :
       {"SET application_name = " + connection.literal(asker_name(signal.snapshot.id)),
        "LISTEN " + std::string(kNewsChannel), std::string("SET default_transaction_read_only = off"),
        std::string("SET synchronous_commit = local"), question}) {
    if (Status done = connection.execute(sql); !done.is_ok()) return done;
  }
  FollowerWatch follower(connection, options.slot_name, wait.timeout, logger);
  auto reminder = std::chrono::steady_clock::now() + kReminder;
  for (bool heard = false;;) {
    while (const auto told = connection.take_notification()) {
      const auto news = parse_news(told->payload, options.slot_name);
      if (!news || news->id != signal.snapshot.id) continue;
      heard = true;
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
    if (!*is_new) {
      if (heard || std::chrono::steady_clock::now() < reminder) continue;
      reminder += kReminder;
      logger.info("no answer yet; asking again (the stream of slot {} may not have come to the question)",
                  options.slot_name);
    }
    // A follower that died over the first question does not hear it again, nor does its successor.
    if (Status asked = connection.execute(question); !asked.is_ok()) return asked;
  }
}

}  // namespace walcat
