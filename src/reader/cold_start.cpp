#include "cold_start.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "added_tables.h"
#include "position_check.h"
#include "rule_check.h"
#include "snapshot_start.h"
#include "topic_check.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

namespace {

constexpr fmt::string_view kCreating = "creating slot {}; this waits for transactions that are open on the server";
constexpr const char* kWaysOut =
    "hint: changes may be lost; on_gap: snapshot prints all rows anew, on_gap: continue goes on without what is lost";

// Beside the slot `name`, within a slot name's 63 bytes; another for each.
std::string temporary_slot_name(const std::string& name) {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string>()(name));
  return fmt::format("{}_{:08x}_snapshot", name.substr(0, 63 - 18), hash);
}

// Decides where to start: the slot is the authority, the offset file is the evidence.
class SlotStart {
 public:
  SlotStart(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
            const Selection& selection, const OffsetFile& file, const TableLook& look, TableView& tables,
            const StopRequest& stop, const log::Logger& logger)
      : connection_(connection),
        server_(server),
        options_(options),
        selection_(selection),
        file_(file),
        look_(look),
        tables_(tables),
        logger_(logger),
        taker_(connection, options, selection, stop, logger) {}

  Result<StreamStart> decide(const std::optional<LastSession>& last, const Status& broken) {
    auto slot = find_slot(connection_, options_.slot_name);
    if (!slot.is_ok()) return slot.status();
    if (*slot) {
      if (const Status usable = check_slot(**slot, server_, options_); !usable.is_ok()) return usable;
    }
    broken_ = broken;
    // Read after the slot was seen free: whoever read it before us has stored its last offset by then.
    Result<std::optional<Offset>> known = last ? std::optional(last->written) : file_.load();
    // And the server after the offset, which must not be ahead of it.
    auto server = identify_server(connection_);
    if (!server.is_ok()) return server.status();
    server_ = std::move(*server);
    const std::optional<Offset> offset = known.is_ok() ? *known : std::nullopt;
    auto start = choose(last, *slot, known.is_ok() ? Status::ok() : known.status(), offset);
    if (start.is_ok()) start->two_phase = *slot && (*slot)->two_phase;
    return start;
  }

 private:
  Result<StreamStart> choose(const std::optional<LastSession>& last, const std::optional<SlotState>& slot,
                             const Status& known, const std::optional<Offset>& offset) {
    const Status fit = known.is_ok() ? check(offset, last, slot) : known;
    if (fit.code() == StatusCode::kGap && !last) return cross_gap(fit, offset, slot);
    if (!fit.is_ok()) return fit;
    if (!offset) return slot ? adopt(*slot) : create(wants_snapshot());
    StreamStart start;
    start.offset = go_on(*offset);
    return with_rows(std::move(start), last.has_value());
  }

  Status check(const std::optional<Offset>& known, const std::optional<LastSession>& last,
               const std::optional<SlotState>& slot) {
    if (!known) return slot ? check_whole(*slot) : Status::ok();
    const Lsn read = last ? last->read : known->done.position;
    const Status fit = check_position(connection_, *known, read, slot, server_, options_, file_, logger_);
    if (!fit.is_ok()) return fit;
    if (!broken_.is_ok()) return broken_;
    const bool reads_all = !last && options_.snapshot.mode == SnapshotOptions::Mode::kAlways;
    if (reads_all || !known->published || known->publication != options_.publication_name) return Status::ok();
    return look_.check(*known->published, tables_);
  }

  // What the stream has met shows in no catalog.
  Status check_whole(const SlotState& slot) {
    return broken_.is_ok() ? check_slot_whole(connection_, slot, server_, options_) : broken_;
  }

  Offset go_on(const Offset& known) {
    Offset start = known;
    start.timeline = server_.timeline;
    if (known.publication != options_.publication_name) {
      logger_.info("publication was {}, is {} now", known.publication, options_.publication_name);
      logger_.warning("what {} did not publish so far is missing; hint: walcat snapshot reads tables anew",
                      options_.publication_name);
      start.publication = options_.publication_name;
      start.published.reset();
      // Another publication may count a transaction's changes differently: rather repeat some than miss one.
      start.done.open_changes = 0;
    }
    return start;
  }

  // The rows that are due beside a stream that goes on. `is_own`: in this run, whose keeper stores.
  Result<StreamStart> with_rows(StreamStart start, bool is_own) {
    if (start.offset.snapshot && !start.offset.snapshot->complete) return resume(std::move(start), is_own);
    if (options_.snapshot.mode == SnapshotOptions::Mode::kAlways && !is_own) return snapshot_beside_slot(&start.offset);
    return start;
  }

  // Changes are lost, or may be: goes on all the same if that was chosen, and says what is missing.
  Result<StreamStart> cross_gap(const Status& gap, const std::optional<Offset>& known,
                                const std::optional<SlotState>& slot) {
    const bool is_needed = options_.snapshot.mode == SnapshotOptions::Mode::kWhenNeeded;
    const OnGap choice = options_.on_gap == OnGap::kFail && is_needed ? OnGap::kSnapshot : options_.on_gap;
    if (choice == OnGap::kFail) {
      return Status(StatusCode::kGap, fmt::format("{}; {}", gap.message(), kWaysOut)).with_kind(gap.kind());
    }
    const bool anew = choice == OnGap::kSnapshot;
    if (anew || options_.snapshot.mode == SnapshotOptions::Mode::kAlways) {
      // Before anything is said, which would be said again with each look, or dropped.
      if (const Status free = check_name_beside(); !free.is_ok()) return free;
    }
    logger_.warning(
        "{}; {}", gap.message(),
        anew ? fmt::format("starting anew with a snapshot ({})",
                           options_.on_gap == OnGap::kFail ? "snapshot.mode: when_needed" : "on_gap: snapshot")
             : "going on without what is lost (on_gap: continue)");
    std::optional<SlotState> usable = slot;
    if (slot && !check_whole(*slot).is_ok()) {
      if (const Status readable = anew ? taker_.check_rights() : Status::ok(); !readable.is_ok()) return readable;
      if (const Status dropped = drop_slot(connection_, options_.slot_name); !dropped.is_ok()) return dropped;
      usable.reset();
    }
    auto start = anew ? start_anew(usable) : skip_gap(known, usable);
    if (start.is_ok()) {
      logger_.warning("changes may be missing from {}, so far written, to {}, from where it goes on{}",
                      known ? known->done.position.to_string() : "a position that is not known",
                      start->offset.done.position.to_string(), anew ? "; the rows as of then are printed anew" : "");
      start->crossed = gap;
    }
    return start;
  }

  // A slot that can be read is kept, as somebody may have made it with care.
  Result<StreamStart> start_anew(const std::optional<SlotState>& slot) {
    if (!slot) return create(true);
    if (check_free_slot(connection_).is_ok()) return snapshot_beside_slot(nullptr);
    if (const Status readable = taker_.check_rights(); !readable.is_ok()) return readable;
    if (const Status dropped = drop_slot(connection_, options_.slot_name); !dropped.is_ok()) return dropped;
    return create(true);
  }

  // What is under way goes on where it belongs to this very server and is not ahead of it.
  Result<StreamStart> skip_gap(const std::optional<Offset>& known, const std::optional<SlotState>& slot) {
    const auto point = slot ? Result<Lsn>(slot->confirmed_flush) : make_slot(known);
    if (!point.is_ok()) return point.status();
    if (!known || known->system_identifier != server_.system_identifier || known->database != server_.database ||
        known->slot != options_.slot_name || known->done.position > *point) {
      return first_start(*point);
    }
    StreamStart start;
    start.offset = go_on(*known);
    start.offset.done = ResumePoint{*point, Lsn{}, 0};
    if (const Status stored = file_.store(start.offset); !stored.is_ok()) return stored;
    return with_rows(std::move(start), false);
  }

  // A slot and no offset: what was changed before the snapshot's point is in the snapshot's rows.
  Result<StreamStart> adopt(const SlotState& slot) {
    if (!wants_snapshot()) {
      logger_.info("found slot {} and no offset file; starting from the slot's position {}", options_.slot_name,
                   slot.confirmed_flush.to_string());
      return first_start(slot.confirmed_flush);
    }
    if (const Status free = check_name_beside(); !free.is_ok()) return free;
    logger_.info("found slot {} and no offset file; taking a snapshot and starting from there", options_.slot_name);
    return snapshot_beside_slot(nullptr);
  }

  // The stream goes on from `known`, or from the snapshot if there is nothing known.
  Result<StreamStart> snapshot_beside_slot(const Offset* known) {
    if (const Status free = check_name_beside(); !free.is_ok()) return free;
    if (const Status ready = check_snapshot(); !ready.is_ok()) return ready;
    auto snapshot = taker_.take(temporary_slot_name(options_.slot_name), true, known);
    if (!snapshot.is_ok()) return snapshot.status();
    if (known == nullptr) return first_start(snapshot->progress.point, std::move(*snapshot));
    StreamStart start;
    start.offset = *known;
    return with_snapshot(std::move(start), std::move(*snapshot), false);
  }

  Result<StreamStart> create(bool with_snapshot) {
    if (with_snapshot) {
      if (const Status ready = check_snapshot(); !ready.is_ok()) return ready;
      logger_.info(kCreating, options_.slot_name);
    } else {
      const auto point = make_slot(std::nullopt);
      return point.is_ok() ? first_start(*point) : point.status();
    }
    auto snapshot = taker_.take(options_.slot_name, false);
    if (!snapshot.is_ok()) return snapshot.status();
    logger_.info("created slot {} at {}", options_.slot_name, snapshot->progress.point.to_string());
    return first_start(snapshot->progress.point, std::move(*snapshot));
  }

  Result<Lsn> make_slot(const std::optional<Offset>& known) {
    if (const Status room = check_free_slot(connection_); !room.is_ok()) return room;
    logger_.info(kCreating, options_.slot_name);
    auto point = create_slot(connection_, options_.slot_name);
    if (!point.is_ok()) return point;
    logger_.info("created slot {} at {}", options_.slot_name, point->to_string());
    auto members =
        published_members(connection_, options_.publication_name, oids_of(known ? known->published : std::nullopt));
    if (!members.is_ok()) return members.status();
    follow_listed(*members, selection_);
    tables_.members = std::move(*members);
    return point;
  }

  // What a snapshot was begun for and not completed. `is_own`: in this run, whose keeper stores.
  Result<StreamStart> resume(StreamStart start, bool is_own) {
    if (options_.snapshot.mode == SnapshotOptions::Mode::kNever) {
      logger_.warning("the snapshot is left unfinished, {} of {} chunks are not read (snapshot.mode: never)",
                      start.offset.snapshot->chunks_left(), start.offset.snapshot->chunks());
      start.offset.snapshot->complete = true;
      start.offset.snapshot->tables.clear();
      return start;
    }
    auto snapshot = taker_.resume(*start.offset.snapshot);
    if (!snapshot.is_ok()) return snapshot.status();
    logger_.info("resuming the snapshot: {} of {} chunks are left", snapshot->progress.chunks_left(),
                 snapshot->progress.chunks());
    return with_snapshot(std::move(start), std::move(*snapshot), is_own);
  }

  Result<StreamStart> with_snapshot(StreamStart start, SnapshotStart snapshot, bool is_own) {
    if (!snapshot.is_resumed) tables_.members = snapshot.members;
    start.offset.snapshot = snapshot.progress;
    start.snapshot = std::move(snapshot);
    if (is_own) return start;
    // Before its rows are printed: a session's indices must never be given out again.
    if (const Status stored = file_.store(start.offset); !stored.is_ok()) return stored;
    return start;
  }

  bool wants_snapshot() const { return options_.snapshot.mode != SnapshotOptions::Mode::kNever; }

  // A walcat that was killed while the server made its slot leaves the name taken, and so may our own last session.
  Status check_name_beside() { return check_snapshot_slot(connection_, temporary_slot_name(options_.slot_name)); }

  Status check_snapshot() {
    if (const Status room = check_free_slot(connection_); !room.is_ok()) return room;
    return taker_.check_rights();
  }

  Result<StreamStart> first_start(Lsn position, std::optional<SnapshotStart> snapshot = std::nullopt) {
    StreamStart start;
    start.offset = {server_.system_identifier, server_.timeline,          server_.database,
                    options_.slot_name,        options_.publication_name, ResumePoint{position, Lsn{}, 0}};
    if (snapshot) start.offset.snapshot = snapshot->progress;
    if (snapshot) tables_.members = std::move(snapshot->members);
    start.offset.published = look_.learn(tables_);
    start.snapshot = std::move(snapshot);
    // From here on a missing slot is a gap and no fresh start.
    if (const Status stored = file_.store(start.offset); !stored.is_ok()) {
      return Status(StatusCode::kRefused, stored.message());
    }
    return start;
  }

  Connection& connection_;
  ServerIdentity server_;
  const DatabaseOptions& options_;
  const Selection& selection_;
  const OffsetFile& file_;
  const TableLook& look_;
  // Looked at again where a slot is made: that waits for transactions that are open, and tables come meanwhile.
  TableView& tables_;
  const log::Logger& logger_;
  // The gap that the stream from this slot met last; ok if none.
  Status broken_;
  SnapshotTaker taker_;
};

// Rows without a stream; a dump that was cut cannot go on, as its snapshot has gone with its connection.
Result<StreamStart> dump_start(const DatabaseOptions& options, RuleMemory& rules, bool was_begun,
                               const StopRequest& stop, const log::Logger& logger) {
  if (was_begun) return Status(StatusCode::kRefused, "the dump was cut; hint: start it again");
  auto connection = open_for_dump(options, stop, logger);
  if (!connection.is_ok()) return connection.status();
  const auto remembered = OffsetFile(options.dump->offset_path).load();
  if (remembered.status().code() == StatusCode::kUnavailable) return remembered.status();
  if (remembered.is_ok() && *remembered) rules.recall((*remembered)->remembered);
  StreamStart start;
  start.connection = std::move(*connection);
  if (const Status known = find_listed(*start.connection, options, rules.selection()); !known.is_ok()) return known;
  SnapshotTaker taker(*start.connection, options, rules.selection(), stop, logger);
  if (const Status readable = taker.check_rights(); !readable.is_ok()) return readable;
  auto snapshot = taker.dump();
  if (!snapshot.is_ok()) return snapshot.status();
  start.offset.database = start.connection->database();
  start.offset.done.position = snapshot->progress.point;
  start.offset.snapshot = snapshot->progress;
  start.snapshot = std::move(*snapshot);
  return start;
}

// At once: what a file says that was not stored since could prove a slot forgotten that has moved to another
// configuration.
Status name_configuration(const DatabaseOptions& options, const OffsetFile& file, Offset& offset) {
  if (offset.configured_slots == options.configured_slots) return Status::ok();
  offset.configured_slots = options.configured_slots;
  // Another walcat may follow the slot still, and is then further on.
  const auto there = file.load();
  if (there.status().code() == StatusCode::kUnavailable) return there.status();
  const bool is_passed = there.is_ok() && *there && (*there)->done.position > offset.done.position;
  return is_passed ? Status::ok() : file.store(offset);
}

// Before anything is renamed.
Status keep_listed(Connection& connection, const DatabaseOptions& options, const OffsetFile& file, Offset& offset) {
  auto listed = find_tables(connection, options, offset.listed);
  if (!listed.is_ok()) return listed.status();
  if (offset.listed == *listed) return Status::ok();
  offset.listed = std::move(*listed);
  return file.store(offset);
}

// They are the one thing in the session that streams which walcat can't keep from opening tables.
Status tell_login_triggers(Connection& connection, const log::Logger& logger) {
  const auto names = login_triggers(connection);
  if (!names.is_ok()) return names.status();
  for (const std::string& name : *names) {
    logger.warning(
        "event trigger {} runs when the stream connects; if it reads or writes a followed table, changes before an "
        "ALTER TABLE come in the layout behind it, and the server may crash; hint: let it return early for role {}",
        quote_identifier(name), quote_identifier(connection.user()));
  }
  return Status::ok();
}

// What is known of tables before the slot is looked at; an offset file that can't be read is complained about then.
// OIDs say nothing of another server's tables, nor of another database's.
std::optional<Offset> known_before(const OffsetFile& file, const std::optional<LastSession>& last,
                                   const ServerIdentity& server) {
  if (last) return last->written;
  auto loaded = file.load();
  if (!loaded.is_ok() || !*loaded) return std::nullopt;
  const Offset& offset = **loaded;
  const bool is_of_this = offset.system_identifier == server.system_identifier && offset.database == server.database;
  return is_of_this ? std::move(*loaded) : std::nullopt;
}

// What a table's owner has made of it may be run by whoever reads it.
Status tell_superuser(Connection& connection, const log::Logger& logger) {
  const auto is_superuser = acts_as_superuser(connection);
  if (!is_superuser.is_ok()) return is_superuser.status();
  if (*is_superuser) {
    logger.warning(
        "role {} is a superuser: functions by owners of the tables that walcat reads, in their indexes, may do with "
        "the "
        "server what they like; hint: CREATE ROLE .. LOGIN REPLICATION and GRANT SELECT, see docs/security.md",
        connection.user());
  }
  return Status::ok();
}

}  // namespace

Result<StreamStart> cold_start(const DatabaseOptions& options, RuleMemory& rules, const OffsetFile& offset_file,
                               TableLook& look, const std::optional<LastSession>& last, const StopRequest& stop,
                               const log::Logger& logger, const Status& broken, bool to_the_end) {
  const Selection& selection = rules.selection();
  if (options.dump) return dump_start(options, rules, last.has_value(), stop, logger);
  auto opened =
      Connection::open({.conn_str = options.conn_str, .expects_answers = true, .stop = &stop, .logger = logger});
  if (!opened.is_ok()) return opened.status();
  StreamStart start;
  start.connection = std::move(*opened);
  Connection& connection = *start.connection;

  if (to_the_end) {
    if (const Status flushed = flush_log(connection); !flushed.is_ok()) return flushed;
  }
  // A pooler or another server may have answered.
  const auto server = identify_server(connection);
  if (!server.is_ok()) return server.status();
  start.flush_position = server->flush_position;
  if (const Status fit = check_server(connection); !fit.is_ok()) return fit;
  if (!last) {
    if (const Status told = tell_login_triggers(connection, logger); !told.is_ok()) return told;
    if (const Status told = tell_superuser(connection, logger); !told.is_ok()) return told;
  }
  if (options.heartbeat_interval.count() > 0 && connection.server_version() < kVersionWithMessages) {
    return Status(
        StatusCode::kRefused,
        fmt::format("heartbeat_interval: the server's version is {}.{}, its streams bring logical messages from "
                    "14 on; hint: leave the key out",
                    connection.server_version() / 10000, connection.server_version() % 10000));
  }
  if (options.two_phase && connection.server_version() < kVersionWithTwoPhase) {
    return Status(StatusCode::kRefused,
                  fmt::format("two_phase: the server's version is {}.{}, its streams bring prepared transactions from "
                              "15 on; hint: leave the key out",
                              connection.server_version() / 10000, connection.server_version() % 10000));
  }
  const auto timeout = wal_sender_timeout(connection);
  if (!timeout.is_ok()) return timeout.status();
  start.wal_sender_timeout = *timeout;

  if (!last) {
    const Status told = tell_keyless(connection, options.publication_name, logger);
    if (!told.is_ok()) return told;
  }
  // The publication before the slot, always: see ensure_publication.
  auto members = publish_tables(connection, options, selection, known_before(offset_file, last, *server),
                                last.has_value(), logger);
  if (!members.is_ok()) return members.status();
  start.tables = {std::move(*members), server->flush_position, connection.server_version()};
  // A table dropped since the start must not stop a stream that is under way.
  if (!last) {
    const Status fit = check_rules(connection, *server, options, start.tables.members, rules, offset_file);
    if (!fit.is_ok()) return fit;
  } else {
    learn_parts(start.tables.members, rules);
  }
  // A table that comes later is told of when the stream describes it.
  if (!last && options.topics != nullptr) {
    const auto tables = published_columns(connection, options.publication_name);
    if (!tables.is_ok()) return tables.status();
    const Status apart = check_topics(options, selection, connection.database(), *tables, logger);
    if (!apart.is_ok()) return apart;
  }

  auto decided = SlotStart(connection, *server, options, selection, offset_file, look, start.tables, stop, logger)
                     .decide(last, broken);
  if (!decided.is_ok()) return decided.status();
  start.offset = std::move(decided->offset);
  start.snapshot = std::move(decided->snapshot);
  start.crossed = std::move(decided->crossed);
  start.two_phase = options.two_phase || decided->two_phase;
  // In this run's first session; later ones bring the same configuration.
  if (!last) {
    const Status noted =
        note_added_tables(start.tables.members, connection.server_version(), options, selection, start.offset, logger);
    if (!noted.is_ok()) return noted;
  }
  const bool reads_all = start.snapshot && !start.snapshot->is_resumed;
  start.entered = look.update(start.offset, start.tables, reads_all, !last);
  if (!last) {
    const Status kept = keep_rules(rules, offset_file, start.offset);
    if (!kept.is_ok()) return kept;
    const Status listed = keep_listed(connection, options, offset_file, start.offset);
    if (!listed.is_ok()) return listed;
    const Status named = name_configuration(options, offset_file, start.offset);
    if (!named.is_ok()) return named;
  }
  return start;
}

}  // namespace walcat
