#include "slot_start.h"

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <random>
#include <utility>

#include "walcat/postgres/publication.h"
#include "walcat/reader/listed_tables.h"

namespace walcat {

namespace {

constexpr fmt::string_view kCreating = "creating slot {}; this waits for transactions that are open on the server";
constexpr const char* kWaysOut =
    "hint: changes may be lost; on_gap: snapshot prints all rows anew, on_gap: continue goes on without what is lost";

// Sessions of a snapshot have 4096 ranges of indices.
constexpr std::uint32_t kSessionsUnknown = 3'000;

// Beside the slot `name`, within a slot name's 63 bytes; another for each.
std::string temporary_slot_name(const std::string& name) {
  const auto hash = static_cast<std::uint32_t>(std::hash<std::string>()(name));
  return fmt::format("{}_{:08x}_snapshot", name.substr(0, 63 - 18), hash);
}

}  // namespace

SlotStart::SlotStart(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
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

Result<StreamStart> SlotStart::decide(const std::optional<LastSession>& last, const Status& broken) {
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

Result<StreamStart> SlotStart::choose(const std::optional<LastSession>& last, const std::optional<SlotState>& slot,
                                      const Status& known, const std::optional<Offset>& offset) {
  const Status fit = known.is_ok() ? check(offset, last, slot) : known;
  if (fit.code() == StatusCode::kGap && !last) return cross_gap(fit, offset, slot);
  if (!fit.is_ok()) return fit;
  if (!offset) return slot ? adopt(*slot) : create(wants_snapshot());
  StreamStart start;
  start.offset = go_on(*offset);
  return with_rows(std::move(start), last.has_value());
}

Status SlotStart::check(const std::optional<Offset>& known, const std::optional<LastSession>& last,
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
Status SlotStart::check_whole(const SlotState& slot) {
  return broken_.is_ok() ? check_slot_whole(connection_, slot, server_, options_) : broken_;
}

Offset SlotStart::go_on(const Offset& known) {
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
Result<StreamStart> SlotStart::with_rows(StreamStart start, bool is_own) {
  if (start.offset.snapshot && !start.offset.snapshot->complete) return resume(std::move(start), is_own);
  if (options_.snapshot.mode == SnapshotOptions::Mode::kAlways && !is_own) return snapshot_beside_slot(&start.offset);
  return start;
}

// Changes are lost, or may be: goes on all the same if that was chosen, and says what is missing.
Result<StreamStart> SlotStart::cross_gap(const Status& gap, const std::optional<Offset>& known,
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
  logger_.warning("{}; {}", gap.message(),
                  anew
                      ? fmt::format("starting anew with a snapshot ({})",
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
Result<StreamStart> SlotStart::start_anew(const std::optional<SlotState>& slot) {
  if (!slot) return create(true);
  if (check_free_slot(connection_).is_ok()) return snapshot_beside_slot(nullptr);
  if (const Status readable = taker_.check_rights(); !readable.is_ok()) return readable;
  if (const Status dropped = drop_slot(connection_, options_.slot_name); !dropped.is_ok()) return dropped;
  return create(true);
}

// What is under way goes on where it belongs to this very server and is not ahead of it.
Result<StreamStart> SlotStart::skip_gap(const std::optional<Offset>& known, const std::optional<SlotState>& slot) {
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

// A slot and no offset: made by hand, or the offset file is gone, and rows were printed up to the slot's position that
// were deleted since. So the stream goes on from there, though some of its changes are in the snapshot's rows already.
Result<StreamStart> SlotStart::adopt(const SlotState& slot) {
  if (wants_snapshot()) {
    if (const Status free = check_name_beside(); !free.is_ok()) return free;
  }
  logger_.info("found slot {} and no offset file {}; {} from the slot's position {}", options_.slot_name, file_.path(),
               wants_snapshot() ? "taking a snapshot and going on" : "starting", slot.confirmed_flush.to_string());
  if (!wants_snapshot()) return first_start(slot.confirmed_flush);
  Offset there = offset_at(slot.confirmed_flush);
  // Rows may have been printed at this position before; how many times is lost with the file.
  there.snapshot.emplace();
  there.snapshot->sessions = std::random_device()() % kSessionsUnknown;
  return snapshot_beside_slot(&there);
}

// The stream goes on from `known`, or from the snapshot if there is nothing known.
Result<StreamStart> SlotStart::snapshot_beside_slot(const Offset* known) {
  if (const Status free = check_name_beside(); !free.is_ok()) return free;
  if (const Status ready = check_snapshot(); !ready.is_ok()) return ready;
  auto snapshot = taker_.take(temporary_slot_name(options_.slot_name), true, known);
  if (!snapshot.is_ok()) return snapshot.status();
  if (known == nullptr) return first_start(snapshot->progress.point, std::move(*snapshot));
  StreamStart start;
  start.offset = *known;
  return with_snapshot(std::move(start), std::move(*snapshot), false);
}

Result<StreamStart> SlotStart::create(bool with_snapshot) {
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

Result<Lsn> SlotStart::make_slot(const std::optional<Offset>& known) {
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
Result<StreamStart> SlotStart::resume(StreamStart start, bool is_own) {
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

Result<StreamStart> SlotStart::with_snapshot(StreamStart start, SnapshotStart snapshot, bool is_own) {
  if (!snapshot.is_resumed) tables_.members = snapshot.members;
  start.offset.snapshot = snapshot.progress;
  start.snapshot = std::move(snapshot);
  if (is_own) return start;
  // Before its rows are printed: a session's indices must never be given out again.
  if (const Status stored = file_.store(start.offset); !stored.is_ok()) return stored;
  return start;
}

bool SlotStart::wants_snapshot() const { return options_.snapshot.mode != SnapshotOptions::Mode::kNever; }

// A walcat that was killed while the server made its slot leaves the name taken, and so may our own last session.
Status SlotStart::check_name_beside() {
  return check_snapshot_slot(connection_, temporary_slot_name(options_.slot_name));
}

Status SlotStart::check_snapshot() {
  if (const Status room = check_free_slot(connection_); !room.is_ok()) return room;
  return taker_.check_rights();
}

Offset SlotStart::offset_at(Lsn position) const {
  return {server_.system_identifier, server_.timeline,          server_.database,
          options_.slot_name,        options_.publication_name, ResumePoint{position, Lsn{}, 0}};
}

Result<StreamStart> SlotStart::first_start(Lsn position, std::optional<SnapshotStart> snapshot) {
  StreamStart start;
  start.offset = offset_at(position);
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

}  // namespace walcat
