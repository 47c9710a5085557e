#include "slot_watch.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/shortage.h"
#include "walcat/base/utf8.h"
#include "walcat/postgres/catalog.h"
#include "walcat/postgres/membership.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

namespace {

// Of a heartbeat's interval: how often it is seen whether the output moves.
constexpr int kGlancesAnInterval = 4;
constexpr std::chrono::milliseconds kShortestGlance{1};
// Between two looks at the publication, where the guard makes none.
constexpr std::chrono::seconds kTablesInterval{30};

}  // namespace

SlotWatch::SlotWatch(Lane& lane)
    : lane_(lane),
      guard_(lane.options.wal_guard),
      interval_(lane.options.wal_guard.interval.count() > 0 ? lane.options.wal_guard.interval : kTablesInterval) {}

bool SlotWatch::is_wanted(const DatabaseOptions& options) { return !options.dump; }

void SlotWatch::run() {
  try {
    watch();
  } catch (const std::exception& error) {
    lane_.logger.error("the slot is watched no more: {}", error.what());
  }
}

void SlotWatch::watch() {
  stands_since_ = Clock::now();
  next_look_ = stands_since_ + interval_;
  while (!stop_.requested()) {
    const auto now = Clock::now();
    const bool is_look_due = now >= next_look_;
    if (is_look_due) next_look_ = now + interval_;
    const bool is_followed = lane_.identity().has_value() && !lane_.failed();
    const bool beats = is_beat_due(now) && is_followed;
    if (is_followed && (beats || is_look_due)) note(try_to_attend(beats, is_look_due));
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_event(now) - Clock::now()).count();
    pollfd wake{stop_.wake().fd(), POLLIN, 0};
    if (left > 0) ::poll(&wake, 1, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
  }
}

// What the machine refuses now may be had at the next look.
Status SlotWatch::try_to_attend(bool beats, bool looks) {
  try {
    return attend(beats, looks);
  } catch (const std::exception& error) {
    if (!is_shortage(error)) throw;
    return status_of(error, "watch");
  }
}

Status SlotWatch::attend(bool beats, bool looks) {
  Status status = connect();
  if (status.is_ok()) status = check_server();
  if (status.is_ok() && beats) status = beat();
  const bool guards = lane_.options.wal_guard.interval.count() > 0;
  if (status.is_ok() && looks && guards) status = guard();
  if (status.is_ok() && looks) status = look_at_tables();
  // For tables alone no connection is held.
  if (!guards && lane_.options.heartbeat_interval.count() == 0) connection_.reset();
  return status;
}

void SlotWatch::note(const Status& status) {
  const bool is_news = !status.is_ok() && status.message() != failure_ && status.code() != StatusCode::kStopped;
  if (is_news) lane_.logger.warning("the slot can't be watched: {}; trying again now and then", status.message());
  failure_ = status.message();
  if (!status.is_ok()) connection_.reset();
}

Status SlotWatch::connect() {
  if (connection_ != nullptr) return Status::ok();
  auto opened = Connection::open(
      {.conn_str = lane_.options.conn_str, .replication = false, .stop = &stop_, .logger = lane_.logger});
  if (!opened.is_ok()) return opened.status();
  connection_ = std::move(*opened);
  // A role that may not ask has to trust the address.
  const auto identifier = system_identifier_of(*connection_);
  system_identifier_ = identifier.is_ok() ? *identifier : "";
  return identifier.status().is_transient() ? identifier.status() : Status::ok();
}

// Behind an address that moves, or of several hosts, another server may have answered than the stream's; and the stream
// may have moved since.
Status SlotWatch::check_server() const {
  const auto identity = lane_.identity();
  if (!identity || system_identifier_.empty()) return Status::ok();
  const std::string database = with_replacements(connection_->database());
  const bool is_same = identity->system_identifier == system_identifier_ && identity->database == database;
  if (is_same) return Status::ok();
  return {StatusCode::kUnavailable,
          fmt::format(
              "another server has answered: database {} of system identifier {}, but the stream comes from {} of {}",
              database, system_identifier_, identity->database, identity->system_identifier)};
}

Status SlotWatch::guard() {
  const Lsn written = lane_.written();
  const auto usage = slot_usage(*connection_, lane_.options.slot_name);
  if (!usage.is_ok()) return usage.status();
  // Without a slot there is nothing to judge; the reader says so.
  if (!*usage) return Status::ok();
  for (const auto& remark : guard_.look(**usage, written, Clock::now())) {
    log::write(remark.level, lane_.logger.database(), remark.text, "a look at the slot");
  }
  return Status::ok();
}

// Only what has changed since the session looked itself, or since this was shown, is worth the reader's time.
Status SlotWatch::look_at_tables() {
  const std::uint64_t session = lane_.session();
  const auto identity = lane_.identity();
  if (!identity || !identity->published || session == 0) return Status::ok();
  const auto position = end_of_log(*connection_);
  if (!position.is_ok()) return position.status();
  // A standby may be behind what the session has seen.
  const auto is_ahead = [&](const FollowedTable& table) { return table.since > *position; };
  if (std::any_of(identity->published->begin(), identity->published->end(), is_ahead)) return Status::ok();
  auto members = published_members(*connection_, lane_.options.publication_name, oids_of(identity->published));
  if (!members.is_ok()) return members.status();
  // Without a publication there is nothing to compare with; the stream tells of that.
  const auto is_published = [](const MemberTable& member) { return !member.membership.empty(); };
  if (std::none_of(members->begin(), members->end(), is_published)) {
    const auto exists = has_publication(*connection_, lane_.options.publication_name);
    if (!exists.is_ok() || !*exists) return exists.status();
  }
  if (const Status looked = look_at_hidden_columns(*position); !looked.is_ok()) return looked;
  if (session == session_ && *members == members_) return Status::ok();
  session_ = session;
  members_ = std::move(*members);
  lane_.show_tables({members_, *position, connection_->server_version()}, session);
  return Status::ok();
}

// Columns that a rule hides and that have gone from the stream: were they dropped, or does the publication leave them
// out?
Status SlotWatch::look_at_hidden_columns(Lsn position) {
  const auto missing = lane_.rules->missing_columns();
  if (missing.empty()) return Status::ok();
  std::vector<std::uint32_t> oids;
  for (const HiddenColumn& column : missing) oids.push_back(column.table_oid);
  const auto there = columns_of(*connection_, oids);
  if (!there.is_ok()) return there.status();
  for (const HiddenColumn& column : missing) {
    if (!there->contains({column.table_oid, column.number})) lane_.rules->note_dropped(column, position);
  }
  return Status::ok();
}

bool SlotWatch::is_beat_due(Clock::time_point now) {
  const Lsn written = lane_.written();
  if (written != stands_at_) {
    // After a gap it may begin again further back.
    if (written < stands_at_) beat_ = Lsn{};
    stands_at_ = written;
    stands_since_ = now;
  }
  const auto interval = lane_.options.heartbeat_interval;
  return interval.count() > 0 && now - stands_since_ >= interval && written >= beat_;
}

Status SlotWatch::beat() {
  stands_since_ = Clock::now();
  const auto position = write_heartbeat(*connection_, stands_at_);
  if (!position.is_ok()) return position.status().with_context("heartbeat");
  if (*position) {
    beat_ = **position;
    lane_.logger.debug("heartbeat at {}", beat_.to_string());
  }
  return Status::ok();
}

SlotWatch::Clock::time_point SlotWatch::next_event(Clock::time_point now) const {
  const auto next = next_look_;
  const auto heartbeat = lane_.options.heartbeat_interval;
  if (heartbeat.count() == 0) return next;
  return std::min(next, now + std::max(heartbeat / kGlancesAnInterval, kShortestGlance));
}

}  // namespace walcat
