#include "snapshot_start.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "read_rights.h"
#include "snapshot_plan.h"
#include "walcat/base/postgres_time.h"
#include "walcat/postgres/catalog.h"
#include "walcat/postgres/owners_code.h"
#include "walcat/postgres/publication.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

namespace {

constexpr int kVersionWithTidRanges = 140000;
constexpr std::chrono::milliseconds kGiveUpTimeout{2'000};

PlanOptions plan_options(const Connection& connection, const DatabaseOptions& options) {
  return {options.snapshot.chunk_bytes, connection.server_version() >= kVersionWithTidRanges};
}

std::vector<TableName> table_names(const std::vector<PublishedRelation>& relations) {
  std::vector<TableName> names;
  for (const PublishedRelation& published : relations) {
    for (const PhysicalTable& physical : published.tables) names.push_back(physical.name);
  }
  return names;
}

Status altered(const TableName& table, const char* how) {
  return {StatusCode::kUnavailable, fmt::format("table {} was {} while the slot was made", table.to_string(), how)};
}

}  // namespace

Result<std::shared_ptr<const RelationNote>> note_of(Connection& connection, const Relation& relation) {
  std::vector<std::uint32_t> types;
  for (const Column& column : relation.columns) types.push_back(column.type_oid);
  return describe_relation(connection, relation.oid, types);
}

SnapshotTaker::SnapshotTaker(Connection& connection, const DatabaseOptions& options, const Selection& selection,
                             const StopRequest& stop, const log::Logger& logger)
    : connection_(connection), options_(options), selection_(selection), stop_(stop), logger_(logger) {}

Result<std::vector<PublishedRelation>> SnapshotTaker::wanted_relations() {
  const bool by_name = options_.dump && !options_.dump->tables.empty();
  auto relations = by_name ? named_relations(connection_, options_.dump->tables)
                           : published_relations(connection_, options_.publication_name);
  if (!relations.is_ok()) return relations;
  std::erase_if(*relations, [&](const PublishedRelation& published) {
    Relation relation = published.relation;
    selection_.apply(relation);
    return !relation.is_wanted;
  });
  return relations;
}

Status SnapshotTaker::check_rights() {
  const auto relations = wanted_relations();
  if (!relations.is_ok()) return relations.status();
  return check_readable(connection_, *relations);
}

// The tables again, now that nobody can rewrite them.
Result<std::vector<PublishedRelation>> SnapshotTaker::lock_relations(const std::vector<PublishedRelation>& relations) {
  // A right that is missing is no fault of the lock, which may heal.
  if (Status readable = check_readable(connection_, relations); !readable.is_ok()) return readable;
  const Status locked = lock_tables(connection_, table_names(relations));
  if (locked.code() == StatusCode::kRefused) {
    // Dropped or renamed a moment ago.
    return Status(StatusCode::kUnavailable, locked.with_context("snapshot").message());
  }
  if (!locked.is_ok()) return locked;
  return wanted_relations();
}

// The snapshot sees the tables as they were when the slot was made, COPY reads them as they are since they were locked.
// Where these differ, rows would be missing or columns unknown, so a new slot has to be made.
Status SnapshotTaker::check_unaltered(const std::vector<PublishedRelation>& relations) {
  std::vector<std::uint32_t> oids;
  for (const PublishedRelation& published : relations) {
    oids.push_back(published.relation.oid);
    for (const PhysicalTable& physical : published.tables) {
      oids.push_back(physical.oid);
      // The snapshot sees none of its rows any more.
      if (physical.was_rewritten) return altered(physical.name, "rewritten");
    }
  }
  const auto seen = table_forms(connection_, oids);
  if (!seen.is_ok()) return seen.status();
  auto beside =
      Connection::open({.conn_str = options_.conn_str, .replication = false, .stop = &stop_, .logger = logger_});
  if (!beside.is_ok()) return beside.status();
  const auto now = table_forms(**beside, oids);
  if (!now.is_ok()) return now.status();
  const auto differs = std::mismatch(seen->begin(), seen->end(), now->begin(), now->end()).first;
  if (differs == seen->end()) return Status::ok();
  return altered(differs->name, "altered");
}

Result<SnapshotStart> SnapshotTaker::take(const std::string& slot_name, bool temporary, const Offset* known) {
  if (const Status begun = begin_snapshot(connection_); !begun.is_ok()) return begun;
  const auto point = create_slot_with_snapshot(connection_, slot_name, temporary);
  if (!point.is_ok()) return point.status();
  const auto failed = [&](const Status& status) {
    if (!temporary) give_up(slot_name);
    return status.with_context("snapshot");
  };
  SnapshotStart start;
  start.progress.point = known == nullptr ? *point : known->done.position;
  start.progress.began = postgres_now_micros();
  // Earlier rows may have been printed at the same position.
  start.progress.sessions = known != nullptr && known->snapshot ? known->snapshot->sessions + 1 : 1;
  if (temporary) start.temporary_slot = slot_name;
  const auto visible = current_snapshot(connection_);
  if (!visible.is_ok()) return failed(visible.status());
  start.progress.visible = visible->to_string();
  // Tables may have come while the slot waited: what this snapshot does not see the stream tells of.
  auto members = published_members(connection_, options_.publication_name,
                                   oids_of(known != nullptr ? known->published : std::nullopt));
  if (!members.is_ok()) return failed(members.status());
  follow_listed(*members, selection_);
  start.members = std::move(*members);
  auto relations = wanted_relations();
  if (!relations.is_ok()) return failed(relations.status());
  relations = lock_relations(*relations);
  if (!relations.is_ok()) return failed(relations.status());
  if (Status same = check_unaltered(*relations); !same.is_ok()) return failed(same);
  start.progress.tables = cut_tables(*relations, plan_options(connection_, options_));
  if (const Status finished = finish(*relations, start); !finished.is_ok()) return failed(finished);
  return start;
}

// Row filters are to be read beside the user's condition, by the path that this is read by. It may name other tables.
Status SnapshotTaker::restrict_rows(std::vector<PublishedRelation>& relations) {
  const std::string& where = options_.dump->where;
  if (where.empty()) return Status::ok();
  if (const Status own = use_own_path(connection_); !own.is_ok()) return own;
  for (PublishedRelation& published : relations) {
    if (published.row_filter.empty()) {
      published.row_filter = fmt::format("{} AND ({})", values_print_as_pinned(), where);
      continue;
    }
    const auto filter = row_filter_in_force(connection_, options_.publication_name, published.relation.oid);
    if (!filter.is_ok()) return filter.status();
    published.row_filter = fmt::format("{} AND ({}) AND ({})", values_print_as_pinned(), *filter, where);
  }
  return use_pinned_path(connection_);
}

Result<SnapshotStart> SnapshotTaker::dump() {
  SnapshotStart start;
  auto relations = wanted_relations();
  if (!relations.is_ok()) return relations.status();
  if (const Status begun = begin_snapshot(connection_); !begun.is_ok()) return begun;
  // Before the transaction's snapshot, so that nothing is rewritten in between.
  relations = lock_relations(*relations);
  if (!relations.is_ok()) return relations.status();
  if (const Status restricted = restrict_rows(*relations); !restricted.is_ok()) return restricted;
  const auto position = position_of_snapshot(connection_);
  if (!position.is_ok()) return position.status();
  start.progress.point = *position;
  start.progress.began = postgres_now_micros();
  start.progress.sessions = 1;
  start.progress.tables = cut_tables(*relations, plan_options(connection_, options_));
  if (const Status finished = finish(*relations, start); !finished.is_ok()) return finished.with_context("snapshot");
  return start;
}

Result<std::vector<TableOutline>> outline_snapshot(const DatabaseOptions& options, const StopRequest& stop) {
  const log::Logger logger(options.label);
  const auto selection = selection_of(options);
  if (!selection.is_ok()) return selection.status();
  auto connection = open_for_dump(options, stop, logger);
  if (!connection.is_ok()) return connection.status();
  if (const Status known = find_listed(**connection, options, **selection); !known.is_ok()) return known;
  SnapshotTaker taker(**connection, options, **selection, stop, logger);
  const auto start = taker.dump();
  if (!start.is_ok()) return start.status();
  return start->outlines;
}

Result<std::unique_ptr<Connection>> open_for_dump(const DatabaseOptions& options, const StopRequest& stop,
                                                  const log::Logger& logger) {
  auto connection =
      Connection::open({.conn_str = options.conn_str, .replication = false, .stop = &stop, .logger = logger});
  if (!connection.is_ok()) return connection;
  if (const Status usable = check_tables(**connection, options.dump->tables); !usable.is_ok()) return usable;
  return connection;
}

Result<SnapshotStart> SnapshotTaker::resume(const SnapshotProgress& progress) {
  SnapshotStart start;
  start.progress = progress;
  ++start.progress.sessions;
  start.is_resumed = true;
  const auto is_of_snapshot = [&](const PhysicalTable& physical) {
    return std::any_of(progress.tables.begin(), progress.tables.end(),
                       [&](const SnapshotProgress::Table& table) { return table.oid == physical.oid; });
  };
  auto relations = wanted_relations();
  if (!relations.is_ok()) return relations.status();
  // The stream brings all that was made after the point.
  for (PublishedRelation& published : *relations) {
    std::erase_if(published.tables, [&](const PhysicalTable& physical) { return !is_of_snapshot(physical); });
  }
  std::erase_if(*relations, [](const PublishedRelation& published) { return published.tables.empty(); });
  if (const Status begun = begin_snapshot(connection_); !begun.is_ok()) return begun;
  // Before the transaction's snapshot, so that nothing is rewritten in between.
  relations = lock_relations(*relations);
  if (!relations.is_ok()) return relations.status();
  update_tables(start.progress, *relations, plan_options(connection_, options_), logger_);
  if (const Status finished = finish(*relations, start); !finished.is_ok()) return finished.with_context("snapshot");
  return start;
}

Status SnapshotTaker::finish(const std::vector<PublishedRelation>& relations, SnapshotStart& start) {
  auto name = export_snapshot(connection_);
  if (!name.is_ok()) return name.status();
  start.exported_name = *name;
  std::vector<std::shared_ptr<const RelationNote>> notes;
  if (options_.describe_relations) {
    for (const PublishedRelation& published : relations) {
      auto note = note_of(connection_, published.relation);
      if (!note.is_ok()) return note.status();
      notes.push_back(std::move(*note));
    }
  }
  plan_reads(relations, notes, start);
  return Status::ok();
}

// A slot that nobody has an offset for would keep the server's log for ever. A stop does not keep it from being
// dropped, nor does a statement that still waits: so over another connection, which waits for little.
void SnapshotTaker::give_up(const std::string& slot_name) {
  auto beside = Connection::open(
      {.conn_str = options_.conn_str, .connect_timeout = kGiveUpTimeout, .replication = false, .logger = logger_});
  const Status dropped = beside.is_ok()
                             ? (*beside)->execute(fmt::format("SELECT pg_catalog.pg_drop_replication_slot({})",
                                                              (*beside)->literal(slot_name)))
                             : beside.status();
  if (!dropped.is_ok()) {
    logger_.warning("slot {} was made and is left on the server, where it retains log: {}", slot_name,
                    dropped.message());
  }
}

}  // namespace walcat
