#pragma once

#include <fmt/format.h>

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "decoder/frames.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"

namespace walcat {

/// What a failed comparison shows.
inline void PrintTo(const ResumePoint& done, std::ostream* out) {
  *out << fmt::format("{{{}, {} changes of {}}}", done.position.value, done.open_changes, done.open_commit_lsn.value);
}
inline void PrintTo(const Lsn& lsn, std::ostream* out) { *out << lsn.value; }

}  // namespace walcat

namespace walcat::test {

/// A decoder and the reader before it: packs frames into batches, in sequence, session by session.
class Feed {
 public:
  explicit Feed(const ResumePoint& resume = {}, std::size_t frame_bytes = 4096, const DecoderOptions& options = {})
      : decoder_(options), resume_(resume), frame_bytes_(frame_bytes) {}

  /// The connection was lost and came back: the server starts over.
  void reconnect() { ++session_; }

  /// The same, and the stream begins from `resume`, whatever went down the street before.
  void begin_anew(const ResumePoint& resume) {
    beginning_ = ++session_;
    resume_ = resume;
  }

  /// A batch of `frames`, not yet decoded.
  std::unique_ptr<Batch> pack(const std::vector<std::string>& frames) {
    auto batch = std::make_unique<Batch>(frame_bytes_);
    for (const std::string& frame : frames) batch->append_frame(frame);
    batch->session = session_;
    batch->beginning = beginning_;
    batch->sequence = sequence_++;
    batch->resume = resume_;
    batch->database = database_;
    return batch;
  }

  /// A batch of `rows` in COPY's text form, of a snapshot.
  std::unique_ptr<Batch> pack_rows(const std::shared_ptr<const SnapshotSource>& source,
                                   const std::vector<std::string>& rows) {
    auto batch = pack(rows);
    batch->snapshot = source;
    return batch;
  }

  /// The same, decoded; status() tells how that went.
  std::unique_ptr<Batch> decode(const std::vector<std::string>& frames) {
    auto batch = pack(frames);
    decode(*batch);
    return batch;
  }
  std::unique_ptr<Batch> decode_rows(const std::shared_ptr<const SnapshotSource>& source,
                                     const std::vector<std::string>& rows) {
    auto batch = pack_rows(source, rows);
    decode(*batch);
    return batch;
  }
  void decode(Batch& batch) { status_ = decoder_.decode(batch); }

  const Status& status() const { return status_; }
  const DeadLetterTally& dead_letters() const { return decoder_.dead_letters(); }

 private:
  Decoder decoder_;
  Status status_;
  ResumePoint resume_;
  std::size_t frame_bytes_;
  std::uint64_t session_ = 1;
  std::uint64_t beginning_ = 1;
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> database_ = std::make_shared<const std::string>("db1");
};

using Strings = std::vector<std::string>;

inline std::string shown(const Batch& batch, const Cell* cells, std::size_t count) {
  std::string text = "(";
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    if (cells[i].size == Cell::kNull) {
      text += "NULL";
    } else if (cells[i].size == Cell::kUnchanged) {
      text += "~";
    } else {
      text += batch.text(cells[i]);
    }
  }
  return text + ")";
}

/// One change as `commit_lsn.index operation relation (cells)`, an old tuple before the arrow; `~` is unchanged TOAST.
inline std::string shown(const Batch& batch, const Change& change) {
  const Cell* cells = batch.cells.data() + change.cells_begin;
  const std::string identity =
      fmt::format("{}.{} ", batch.transactions[change.transaction].commit_lsn.value, change.index);
  if (change.operation == Operation::kMessage) return identity + "message " + shown(batch, cells, 2);
  const std::size_t columns = change.relation->columns.size();
  const std::string table = change.relation->schema + "." + change.relation->name;
  const std::string old = change.old_tuple == OldTuple::kNone
                              ? ""
                              : (change.old_tuple == OldTuple::kKey ? " key" : " old") + shown(batch, cells, columns);
  const Cell* now = cells + (change.old_tuple == OldTuple::kNone ? 0 : columns);
  switch (change.operation) {
    case Operation::kInsert: return identity + "insert " + table + " " + shown(batch, now, columns);
    case Operation::kUpdate: return identity + "update " + table + old + " -> " + shown(batch, now, columns);
    case Operation::kDelete: return identity + "delete " + table + old;
    case Operation::kTruncate: return identity + "truncate " + table;
    case Operation::kRead: return identity + "read " + table + " " + shown(batch, now, columns);
    default: return identity + "?";
  }
}

inline Strings changes(const Batch& batch) {
  Strings all;
  for (const Change& change : batch.changes) all.push_back(shown(batch, change));
  return all;
}

/// The progress points as `position after changes`.
inline Strings progress(const Batch& batch) {
  Strings all;
  for (const ProgressPoint& point : batch.progress_points) {
    all.push_back(fmt::format("{} after {}", point.position.value, point.changes_end));
  }
  return all;
}

inline std::vector<std::uint64_t> indexes(const Batch& batch) {
  std::vector<std::uint64_t> all;
  for (const Change& change : batch.changes) all.push_back(change.index);
  return all;
}

/// Table `t`, oid 16384, with key `id` and text `v`: what a case takes when the table does not matter.
inline TableSpec plain_table() { return {16384, "public", "t", 'd', {{"id", kInt4, true}, {"v"}}}; }
inline constexpr std::uint32_t kPlain = 16384;
/// Another one like it.
inline TableSpec other_table() { return {16400, "public", "other", 'd', {{"id", kInt4, true}, {"v"}}}; }
inline constexpr std::uint32_t kOther = 16400;

/// Rows of `table` as a snapshot at `point` reads them: what is described as the stream would describe it.
inline std::shared_ptr<SnapshotSource> source_of(const TableSpec& table, std::uint64_t point = 1000,
                                                 std::uint64_t first_index = 0) {
  auto source = std::make_shared<SnapshotSource>();
  source->relation.oid = table.oid;
  source->relation.schema = table.schema;
  source->relation.name = table.name;
  source->relation.identity = static_cast<ReplicaIdentity>(table.identity);
  for (const ColumnSpec& spec : table.columns) {
    Column column;
    column.name = spec.name;
    column.type_oid = spec.type_oid;
    column.type_modifier = spec.modifier;
    column.is_key = spec.is_key;
    source->relation.columns.push_back(std::move(column));
  }
  source->point = Lsn{point};
  source->began = 1'000'999;
  source->first_index = first_index;
  return source;
}

}  // namespace walcat::test
