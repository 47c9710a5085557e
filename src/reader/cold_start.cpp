#include "cold_start.h"

#include <fmt/format.h>

#include <utility>

#include "added_tables.h"
#include "rule_check.h"
#include "slot_start.h"
#include "snapshot_start.h"
#include "topic_check.h"
#include "walcat/base/utf8.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

namespace {

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
  start.offset.database = with_replacements(start.connection->database());
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
