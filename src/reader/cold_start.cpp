#include "cold_start.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "added_tables.h"
#include "snapshot_start.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"

namespace walcat {

namespace {

Status gap(const std::string& what, const OffsetFile& file) {
  return {StatusCode::kGap,
          fmt::format("{}; hint: changes may be lost; delete {} to accept that and go on", what, file.path())};
}

// The offset file must speak of this very server, history, database and slot.
Status check_identity(const Offset& stored, const ServerIdentity& server, const DatabaseOptions& options,
                      const OffsetFile& file) {
  const auto differs = [&](const char* what, const std::string& expected, const std::string& seen) {
    return gap(fmt::format("{} is {}, but offset file {} was written for {}", what, seen, file.path(), expected), file);
  };
  if (stored.system_identifier != server.system_identifier) {
    return differs("the server's system identifier", stored.system_identifier, server.system_identifier);
  }
  if (stored.timeline != server.timeline) {
    return differs("the server's timeline", std::to_string(stored.timeline), std::to_string(server.timeline));
  }
  if (stored.database != server.database) return differs("the database", stored.database, server.database);
  if (stored.slot != options.slot_name) return differs("the slot", stored.slot, options.slot_name);
  if (stored.done.position > server.flush_position) {
    return gap(fmt::format("the server has written up to {}, but offset file {} says {}; it is another server, or was "
                           "restored from an older backup",
                           server.flush_position.to_string(), file.path(), stored.done.position.to_string()),
               file);
  }
  return Status::ok();
}

Status check_slot(const SlotState& slot, const ServerIdentity& server, const DatabaseOptions& options,
                  const OffsetFile& file) {
  const std::string& name = options.slot_name;
  if (slot.plugin != "pgoutput") {
    return {StatusCode::kRefused, fmt::format("slot {} uses {}, pgoutput is needed; hint: choose another slot_name",
                                              name, slot.plugin.empty() ? "no plugin (physical)" : slot.plugin)};
  }
  if (slot.database != server.database) {
    return {StatusCode::kRefused, fmt::format("slot {} belongs to database {}, not {}; hint: choose another slot_name",
                                              name, slot.database, server.database)};
  }
  if (slot.lost) {
    return gap(fmt::format("slot {} was invalidated: the server has removed the log it needs (max_slot_wal_keep_size); "
                           "drop the slot",
                           name),
               file);
  }
  if (slot.active_pid != 0) {
    return Status(StatusCode::kWaiting,
                  fmt::format("slot {} is active, in use by process {} of the server; waiting until it is free", name,
                              slot.active_pid))
        .with_kind(FaultKind::kSlot);
  }
  return Status::ok();
}

// Beside the slot `name`, within a slot name's 63 bytes; another for each.
std::string temporary_slot_name(const std::string& name) {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string>()(name));
  return fmt::format("{}_{:08x}_snapshot", name.substr(0, 63 - 18), hash);
}

// Decides where to start: the slot is the authority, the offset file is the evidence.
class SlotStart {
 public:
  SlotStart(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
            const Selection& selection, const OffsetFile& file, const log::Logger& logger)
      : connection_(connection),
        server_(server),
        options_(options),
        file_(file),
        logger_(logger),
        taker_(connection, options, selection, logger) {}

  Result<StreamStart> decide(const std::optional<Offset>& written) {
    const auto slot = find_slot(connection_, options_.slot_name);
    if (!slot.is_ok()) return slot.status();
    auto start = decide(written, *slot);
    const bool may_start_anew = options_.snapshot.mode == SnapshotOptions::Mode::kWhenNeeded && !written;
    if (start.is_ok() || start.status().code() != StatusCode::kGap || !may_start_anew) return start;
    logger_.warning("{}; starting anew with a snapshot (snapshot.mode: when_needed)", start.status().message());
    if (*slot) {
      const Status dropped = drop_slot(connection_, options_.slot_name);
      if (!dropped.is_ok()) return dropped;
    }
    return create();
  }

 private:
  Result<StreamStart> decide(const std::optional<Offset>& written, const std::optional<SlotState>& slot) {
    if (slot) {
      if (const Status usable = check_slot(*slot, server_, options_, file_); !usable.is_ok()) return usable;
    }
    // Read after the slot was seen free: whoever read it before us has stored its last offset by then.
    std::optional<Offset> known = written;
    if (!known) {
      auto loaded = file_.load();
      if (!loaded.is_ok()) return loaded.status();
      known = *loaded;
    }
    if (!known) return slot ? adopt(*slot) : create();
    auto offset = go_on(*known, slot);
    if (!offset.is_ok()) return offset.status();
    StreamStart start;
    start.offset = *offset;
    if (start.offset.snapshot && !start.offset.snapshot->complete) return resume(std::move(start), written.has_value());
    if (options_.snapshot.mode == SnapshotOptions::Mode::kAlways && !written) {
      return snapshot_beside_slot(&start.offset);
    }
    return start;
  }

  Result<Offset> go_on(const Offset& known, const std::optional<SlotState>& slot) {
    if (const Status same = check_identity(known, server_, options_, file_); !same.is_ok()) return same;
    if (!slot) {
      return gap(fmt::format("slot {} does not exist, but offset file {} says it was read up to {}", options_.slot_name,
                             file_.path(), known.done.position.to_string()),
                 file_);
    }
    if (slot->confirmed_flush > known.done.position) {
      return gap(fmt::format("slot {} stands at {}, but offset file {} only at {}: somebody else advanced or recreated "
                             "the slot",
                             options_.slot_name, slot->confirmed_flush.to_string(), file_.path(),
                             known.done.position.to_string()),
                 file_);
    }
    Offset start = known;
    if (known.publication != options_.publication_name) {
      logger_.info("publication was {}, is {} now", known.publication, options_.publication_name);
      start.publication = options_.publication_name;
      // Another publication may count a transaction's changes differently: rather repeat some than miss one.
      start.done.open_changes = 0;
    }
    return start;
  }

  // A slot and no offset: what was changed before the snapshot's point is in the snapshot's rows.
  Result<StreamStart> adopt(const SlotState& slot) {
    if (!wants_snapshot()) {
      logger_.info("found slot {} and no offset file; starting from the slot's position {}", options_.slot_name,
                   slot.confirmed_flush.to_string());
      return first_start(slot.confirmed_flush);
    }
    logger_.info("found slot {} and no offset file; taking a snapshot and starting from there", options_.slot_name);
    return snapshot_beside_slot(nullptr);
  }

  // The stream goes on from `known`, or from the snapshot if there is nothing known.
  Result<StreamStart> snapshot_beside_slot(const Offset* known) {
    if (const Status ready = check_snapshot(); !ready.is_ok()) return ready;
    auto snapshot = taker_.take(temporary_slot_name(options_.slot_name), true, known);
    if (!snapshot.is_ok()) return snapshot.status();
    if (known == nullptr) return first_start(snapshot->progress.point, std::move(*snapshot));
    StreamStart start;
    start.offset = *known;
    return with_snapshot(std::move(start), std::move(*snapshot), false);
  }

  Result<StreamStart> create() {
    if (wants_snapshot()) {
      if (const Status ready = check_snapshot(); !ready.is_ok()) return ready;
    } else if (const Status room = check_free_slot(connection_); !room.is_ok()) {
      return room;
    }
    logger_.info("creating slot {}; this waits for transactions that are open on the server", options_.slot_name);
    if (!wants_snapshot()) {
      const auto point = create_slot(connection_, options_.slot_name);
      if (!point.is_ok()) return point.status();
      logger_.info("created slot {} at {}", options_.slot_name, point->to_string());
      return first_start(*point);
    }
    auto snapshot = taker_.take(options_.slot_name, false);
    if (!snapshot.is_ok()) return snapshot.status();
    logger_.info("created slot {} at {}", options_.slot_name, snapshot->progress.point.to_string());
    return first_start(snapshot->progress.point, std::move(*snapshot));
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
    start.offset.snapshot = snapshot.progress;
    start.snapshot = std::move(snapshot);
    if (is_own) return start;
    // Before its rows are printed: a session's indices must never be given out again.
    if (const Status stored = file_.store(start.offset); !stored.is_ok()) return stored;
    return start;
  }

  bool wants_snapshot() const { return options_.snapshot.mode != SnapshotOptions::Mode::kNever; }

  Status check_snapshot() {
    if (const Status room = check_free_slot(connection_); !room.is_ok()) return room;
    return taker_.check_rights();
  }

  Result<StreamStart> first_start(Lsn position, std::optional<SnapshotStart> snapshot = std::nullopt) {
    StreamStart start;
    start.offset = {server_.system_identifier, server_.timeline,          server_.database,
                    options_.slot_name,        options_.publication_name, ResumePoint{position, Lsn{}, 0}};
    if (snapshot) start.offset.snapshot = snapshot->progress;
    start.snapshot = std::move(snapshot);
    // From here on a missing slot is a gap and no fresh start.
    if (const Status stored = file_.store(start.offset); !stored.is_ok()) {
      return Status(StatusCode::kRefused, stored.message());
    }
    return start;
  }

  Connection& connection_;
  const ServerIdentity& server_;
  const DatabaseOptions& options_;
  const OffsetFile& file_;
  const log::Logger& logger_;
  SnapshotTaker taker_;
};

// Rows without a stream; a dump that was cut cannot go on, as its snapshot has gone with its connection.
Result<StreamStart> dump_start(const DatabaseOptions& options, const Selection& selection, bool was_begun,
                               const StopRequest& stop, const log::Logger& logger) {
  if (was_begun) return Status(StatusCode::kRefused, "the dump was cut; hint: start it again");
  auto connection = open_for_dump(options, stop, logger);
  if (!connection.is_ok()) return connection.status();
  StreamStart start;
  start.connection = std::move(*connection);
  SnapshotTaker taker(*start.connection, options, selection, logger);
  if (const Status readable = taker.check_rights(); !readable.is_ok()) return readable;
  auto snapshot = taker.dump();
  if (!snapshot.is_ok()) return snapshot.status();
  start.offset.database = start.connection->database();
  start.offset.done.position = snapshot->progress.point;
  start.offset.snapshot = snapshot->progress;
  start.snapshot = std::move(*snapshot);
  return start;
}

}  // namespace

Result<StreamStart> cold_start(const DatabaseOptions& options, const Selection& selection,
                               const OffsetFile& offset_file, const std::optional<Offset>& written,
                               const StopRequest& stop, const log::Logger& logger, bool to_the_end) {
  if (options.dump) return dump_start(options, selection, written.has_value(), stop, logger);
  auto opened = Connection::open({.conn_str = options.conn_str, .stop = &stop, .logger = logger});
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
  const auto timeout = wal_sender_timeout(connection);
  if (!timeout.is_ok()) return timeout.status();
  start.wal_sender_timeout = *timeout;

  if (options.inactive_slot_check && !written) {
    const Status cleaned = drop_inactive_slots(connection, options.configured_slots, logger);
    if (!cleaned.is_ok()) return cleaned.with_context("inactive_slot_check");
  }
  // The publication before the slot, always: see ensure_publication.
  const Status published = ensure_publication(connection, options.publication_name, options.tables, logger);
  if (!published.is_ok()) return published;
  if (options.selection != SelectionOptions{}) {
    const auto tables = published_columns(connection, options.publication_name);
    if (!tables.is_ok()) return tables.status();
    // A table dropped since the start must not stop a stream that is under way.
    const Status matched = selection.check(*tables);
    if (!matched.is_ok() && !written) return Status(StatusCode::kRefused, matched.message());
  }

  auto decided = SlotStart(connection, *server, options, selection, offset_file, logger).decide(written);
  if (!decided.is_ok()) return decided.status();
  start.offset = std::move(decided->offset);
  start.snapshot = std::move(decided->snapshot);
  // In this run's first session; later ones bring the same configuration.
  if (!written) {
    const Status noted = note_added_tables(connection, options, selection, start.offset, logger);
    if (!noted.is_ok()) return noted;
  }
  return start;
}

Status begin_stream(Connection& connection, const DatabaseOptions& options, const Offset& offset,
                    const SnapshotStart* snapshot, const log::Logger& logger) {
  if (snapshot != nullptr) {
    if (const Status ended = connection.execute("COMMIT"); !ended.is_ok()) return ended;
    if (!snapshot->temporary_slot.empty()) {
      const Status dropped = drop_slot(connection, snapshot->temporary_slot);
      if (!dropped.is_ok()) return dropped;
    }
  }
  const Lsn position = offset.done.position;
  const Status started = connection.start_replication(start_replication_command(
      connection, options.slot_name, options.publication_name, position, options.spool.streaming));
  if (!started.is_ok()) return started;
  logger.info("streaming from slot {} at {} (server {}.{})", options.slot_name, position.to_string(),
              connection.server_version() / 10000, connection.server_version() % 10000);
  return Status::ok();
}

}  // namespace walcat
