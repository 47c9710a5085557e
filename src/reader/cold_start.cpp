#include "cold_start.h"

#include <fmt/format.h>

#include <utility>

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
    return {StatusCode::kUnavailable,
            fmt::format("slot {} is active, in use by process {} of the server; waiting until it is free", name,
                        slot.active_pid)};
  }
  return Status::ok();
}

// Decides where to start: the slot is the authority, the offset file is the evidence.
class SlotStart {
 public:
  SlotStart(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
            const OffsetFile& file, const log::Logger& logger)
      : connection_(connection), server_(server), options_(options), file_(file), logger_(logger) {}

  Result<Offset> decide(const std::optional<Offset>& written) {
    const auto slot = find_slot(connection_, options_.slot_name);
    if (!slot.is_ok()) return slot.status();
    if (*slot) {
      if (const Status usable = check_slot(**slot, server_, options_, file_); !usable.is_ok()) return usable;
    }
    // Read after the slot was seen free: whoever read it before us has stored its last offset by then.
    std::optional<Offset> known = written;
    if (!known) {
      auto loaded = file_.load();
      if (!loaded.is_ok()) return loaded.status();
      known = *loaded;
    }
    if (known) return go_on(*known, *slot);
    return *slot ? adopt(**slot) : create();
  }

 private:
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

  Result<Offset> adopt(const SlotState& slot) {
    logger_.info("found slot {} and no offset file; starting from the slot's position {}", options_.slot_name,
                 slot.confirmed_flush.to_string());
    return first_offset(slot.confirmed_flush);
  }

  Result<Offset> create() {
    if (const Status room = check_free_slot(connection_); !room.is_ok()) return room;
    logger_.info("creating slot {}; this waits for transactions that are open on the server", options_.slot_name);
    const auto point = create_slot(connection_, options_.slot_name);
    if (!point.is_ok()) return point.status();
    logger_.info("created slot {} at {}", options_.slot_name, point->to_string());
    return first_offset(*point);
  }

  Result<Offset> first_offset(Lsn position) {
    Offset offset{server_.system_identifier, server_.timeline,          server_.database,
                  options_.slot_name,        options_.publication_name, ResumePoint{position, Lsn{}, 0}};
    // From here on a missing slot is a gap and no fresh start.
    if (const Status stored = file_.store(offset); !stored.is_ok()) {
      return Status(StatusCode::kRefused, stored.message());
    }
    return offset;
  }

  Connection& connection_;
  const ServerIdentity& server_;
  const DatabaseOptions& options_;
  const OffsetFile& file_;
  const log::Logger& logger_;
};

}  // namespace

Result<StreamStart> cold_start(const DatabaseOptions& options, const Selection& selection,
                               const OffsetFile& offset_file, const std::optional<Offset>& written,
                               const StopRequest& stop, const log::Logger& logger) {
  auto opened = Connection::open({.conn_str = options.conn_str, .stop = &stop, .logger = logger});
  if (!opened.is_ok()) return opened.status();
  StreamStart start;
  start.connection = std::move(*opened);
  Connection& connection = *start.connection;

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

  auto offset = SlotStart(connection, *server, options, offset_file, logger).decide(written);
  if (!offset.is_ok()) return offset.status();
  start.offset = *offset;

  const Lsn position = start.offset.done.position;
  const Status started = connection.start_replication(
      start_replication_command(connection, options.slot_name, options.publication_name, position));
  if (!started.is_ok()) return started;
  logger.info("streaming from slot {} at {} (server {}.{})", options.slot_name, position.to_string(),
              connection.server_version() / 10000, connection.server_version() % 10000);
  return start;
}

}  // namespace walcat
