#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/model/byte_buffer.h"
#include "walcat/model/change.h"
#include "walcat/model/followed_table.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/model/large_rows.h"
#include "walcat/model/relation.h"
#include "walcat/model/stream_identity.h"
#include "walcat/model/uninitialized.h"

namespace walcat {

/// The parcel of the street: frames, then the changes in them, then their lines.
///
/// The reader appends frames, the decoder changes, the serializer lines; the writer writes the lines and the batch goes
/// back to its pool, memory and all. One thread owns a batch at a time, whoever holds its unique_ptr.
class Batch {
 public:
  /// Bytes of the size before each frame.
  static constexpr std::size_t kFrameHeader = sizeof(std::uint32_t);
  static std::uint32_t load_frame_size(const char* from) {
    static_assert(std::endian::native == std::endian::little);
    std::uint32_t size = 0;
    std::memcpy(&size, from, kFrameHeader);
    return __builtin_bswap32(size);
  }
  static void store_frame_size(char* to, std::size_t bytes) {
    const std::uint32_t size = __builtin_bswap32(static_cast<std::uint32_t>(bytes));
    std::memcpy(to, &size, kFrameHeader);
  }

  /// `frame_bytes`: frames the batch takes before it is full. Room for all that can be made of them is set aside at
  /// once; the system gives the memory when it is first touched, so ordinary rows never have most of it.
  explicit Batch(std::size_t frame_bytes);

  /// Most memory a batch of `frame_bytes` holds, a single larger row aside: the sum behind `pipeline.memory_limit`.
  static constexpr std::size_t memory_bound(std::size_t frame_bytes) {
    const std::size_t frames = frame_bytes;
    const std::size_t lines = frame_bytes * kLinesPerFrameByte;
    const std::size_t changes = frame_bytes / kSmallestChange * (sizeof(Change) + sizeof(std::size_t));
    const std::size_t transactions = frame_bytes / kSmallestTransaction * (sizeof(Transaction) + sizeof(ProgressPoint));
    const std::size_t cells = frame_bytes / kSmallestCell * sizeof(Cell);
    return frames + lines + changes + transactions + cells;
  }

  // Frames: raw CopyData payloads, back to back, each after its size (4 bytes, big-endian): so they go to disk and come
  // back as they stand.

  bool has_frames() const { return !frames_.empty(); }
  /// Whether a frame of `bytes` fits. An empty batch takes any frame: a row larger than a batch travels alone.
  bool has_room(std::size_t bytes) const {
    return frames_.empty() || frames_.size() + kFrameHeader + bytes <= frame_bytes_;
  }
  /// The same without that exception.
  bool fits(std::size_t bytes) const { return frames_.size() + kFrameHeader + bytes <= frame_bytes_; }
  /// Appends a copy of `frame`.
  void append_frame(std::string_view frame) {
    frames_.ensure(kFrameHeader + frame.size());
    char* to = frames_.end();
    store_frame_size(to, frame.size());
    std::memcpy(to + kFrameHeader, frame.data(), frame.size());
    frames_.set_end(to + kFrameHeader + frame.size());
    ++frame_count_;
  }
  /// All frames as they stand: what append_frames() takes. Valid until the batch changes.
  std::string_view frames() const { return frames_.view(); }
  /// Appends `count` frames that stand as frames() gives them; the caller vouches for it. Returns false, and appends
  /// nothing, if they do not fit and the batch is not empty; an empty batch takes any.
  bool append_frames(std::string_view frames, std::size_t count) {
    if (!frames_.empty() && frames.size() > frame_bytes_ - std::min(frame_bytes_, frames_.size())) return false;
    frames_.append(frames);
    frame_count_ += count;
    return true;
  }
  /// Where the payload of the next frame may be written, and how many bytes of it fit: for add_written_frame().
  std::span<char> frame_room() {
    const std::size_t used = frames_.size() + kFrameHeader;
    if (used >= frame_bytes_) return {};
    return {frames_.end() + kFrameHeader, frame_bytes_ - used};
  }
  /// Makes a frame of the first `bytes` of frame_room().
  void add_written_frame(std::size_t bytes) {
    store_frame_size(frames_.end(), bytes);
    frames_.set_end(frames_.end() + kFrameHeader + bytes);
    ++frame_count_;
  }
  /// Calls `visit(std::string_view frame)` for each frame in order, until it returns false.
  template <typename Visit>
  void for_each_frame(Visit&& visit) const {
    for (const char* at = frames_.data(); at != frames_.data() + frames_.size();) {
      const std::uint32_t size = load_frame_size(at);
      if (!visit(std::string_view(at + kFrameHeader, size))) return;
      at += kFrameHeader + size;
    }
  }
  /// Appends text that is no frame, for cells to view, and returns where it stands. Moves frame_base(). Only once every
  /// frame has been visited.
  std::uint32_t append_text(std::string_view text) {
    const std::size_t offset = frames_.size();
    frames_.append(text);
    return static_cast<std::uint32_t>(offset);
  }

  /// What cells view: the first byte of the frames. 64 bytes past a cell's end may be read, whatever they hold.
  const char* frame_base() const { return frames_.data(); }

  /// Bytes of frames that the batch takes, a single larger one aside.
  std::size_t frame_bytes() const { return frame_bytes_; }
  /// Bytes of lines after which the serializer lets the writer go first.
  std::size_t line_bytes() const { return frame_bytes_ * kLinesPerFrameByte; }

  std::string_view text(const Cell& cell) const {
    return {frame_base() + cell.offset, static_cast<std::size_t>(cell.size)};
  }

  /// Rows that a batch takes at the most, so that what is made of them stays within its bound.
  std::size_t rows_most() const { return frame_bytes_ / kSmallestChange; }
  /// Cuts the frames off at `size` bytes, where a frame began, and returns the payload of that frame.
  std::string pop_frame(std::size_t begin) {
    std::string payload(frames_.data() + begin + kFrameHeader, frames_.size() - begin - kFrameHeader);
    frames_.set_end(frames_.data() + begin);
    --frame_count_;
    return payload;
  }
  std::size_t frames_size() const { return frames_.size(); }
  std::size_t frame_count() const { return frame_count_; }
  /// Calls `visit(char* payload, std::size_t size)` for each frame in order, until it returns false. The frame may be
  /// changed where it stands.
  template <typename Visit>
  void for_each_frame_in_place(Visit&& visit) {
    for (char* at = frames_.data(); at != frames_.data() + frames_.size();) {
      const std::uint32_t size = load_frame_size(at);
      if (!visit(at + kFrameHeader, std::size_t{size})) return;
      at += kFrameHeader + size;
    }
  }

  /// Empties the batch for its next walk; whatever grew past the bound is released.
  void clear() {
    frames_.clear(frame_bytes_);
    frame_count_ = 0;
    lines.clear(line_bytes());
    set_aside();
    transaction_summaries.clear();
    relations.clear();
    notes.clear();
    is_utf8 = true;
    values_repaired = 0;
    values_as_text = 0;
    database.reset();
    stream.reset();
    session = 0;
    beginning = 0;
    run = 0;
    received_at = 0;
    due_at = 0;
    changes_written = 0;
    changes_noted = 0;
    wants_flush = false;
    is_last = false;
    snapshot.reset();
    snapshot_point = Lsn{};
    first_mark = last_mark = SnapshotMark::kInside;
    chunks_done.clear();
    ends_snapshot = false;
    chunk = 0;
    incremental.reset();
    tables.reset();
    // Last: what grew has been released.
    large.give_back();
  }

 private:
  /// A narrow row's line is two to six times its frame; wider ones come near two.
  static constexpr std::size_t kLinesPerFrameByte = 3;
  /// A delete with a one-byte key: header 25, type, relation, tuple.
  static constexpr std::size_t kSmallestChange = 40;
  /// Begin 46, such a delete, Commit 51, each after its size.
  static constexpr std::size_t kSmallestTransaction = 149;
  /// A null.
  static constexpr std::size_t kSmallestCell = 1;

  template <typename Vector>
  static void set_aside(Vector& values, std::size_t room) {
    values.clear();
    if (values.capacity() == room) return;
    Vector().swap(values);
    values.reserve(room);
  }

  void set_aside() {
    set_aside(changes, frame_bytes_ / kSmallestChange);
    set_aside(line_ends, frame_bytes_ / kSmallestChange);
    set_aside(cells, frame_bytes_ / kSmallestCell);
    set_aside(transactions, frame_bytes_ / kSmallestTransaction);
    set_aside(progress_points, frame_bytes_ / kSmallestTransaction);
  }

  std::size_t frame_bytes_;
  ByteBuffer frames_;
  std::size_t frame_count_ = 0;

 public:
  /// What the catalog says of the relations that the frames describe, in the order of their Relation messages; empty if
  /// nobody asked.
  std::vector<std::shared_ptr<const RelationNote>> notes;
  /// Whether the server vouches for every text being UTF-8; only SQL_ASCII databases do not. Nobody relies on it.
  bool is_utf8 = true;
  /// Values in which something that is no UTF-8 was replaced.
  std::uint64_t values_repaired = 0;

  // Changes: filled by the decoder.

  std::vector<Transaction> transactions;
  std::vector<Change> changes;
  /// Whoever adds some fills them in.
  std::vector<Cell, Uninitialized<Cell>> cells;
  std::vector<ProgressPoint> progress_points;
  std::vector<TransactionSummary> transaction_summaries;
  /// Keeps alive every relation that `changes` point to.
  std::vector<std::shared_ptr<const Relation>> relations;

  // Lines: filled by the serializer, back to back.

  ByteBuffer lines;
  /// For each serialized change the end of its lines in `lines`.
  std::vector<std::size_t> line_ends;
  /// Changes before this one have been written and their lines dropped; the rest is still to be serialized. Only a
  /// batch whose lines outgrow line_bytes() walks from serializer to writer more than once.
  std::uint32_t changes_written = 0;
  /// Of these, the ones that the lane's progress knows of.
  std::uint32_t changes_noted = 0;
  /// Printed values that stand as text where their type's form (`output.debezium`) has no place for them.
  std::uint64_t values_as_text = 0;

  // The label on the parcel.

  /// Index of the database's lane.
  std::uint32_t lane = 0;
  /// Counts the lane's batches without a hole; asserted where order matters.
  std::uint64_t sequence = 0;
  /// The database's name, the same for the whole session.
  std::shared_ptr<const std::string> database;
  /// Which stream the frames are of, the same for the whole session.
  std::shared_ptr<const StreamIdentity> stream;
  /// Counts the database's connections from 1; relations are not carried from one to the next.
  std::uint64_t session = 0;
  /// The session in which the stream was begun from what an offset file says: the first one, or one after a gap.
  std::uint64_t beginning = 0;
  /// Of a replay, the run that recorded the session: what came before another run is not known to its lines.
  std::int64_t run = 0;
  /// Microseconds since 2000-01-01 UTC at which the first frames came.
  std::int64_t received_at = 0;
  /// When a replay was to send what is in here, in nanoseconds of the steady clock; 0: nobody wants to know.
  std::int64_t due_at = 0;
  /// What was done before that session.
  ResumePoint resume;
  /// What the frames are rows of (COPY's text form), if they come from a snapshot and not from the stream.
  std::shared_ptr<const SnapshotSource> snapshot;
  /// How the first and the last of these rows are marked; the last one's mark goes before.
  SnapshotMark first_mark = SnapshotMark::kInside;
  SnapshotMark last_mark = SnapshotMark::kInside;
  /// Chunks that are done once this batch is written.
  std::vector<ChunkId> chunks_done;
  /// The snapshot is complete once this batch is written.
  bool ends_snapshot = false;
  /// The point of the database's snapshot; zero if there was none.
  Lsn snapshot_point;
  /// For rows of an incremental snapshot, the number of their chunk; 0: the batch holds none such.
  std::uint64_t chunk = 0;
  /// Where these rows stand in the stream: behind the transaction that commits there, at that time.
  Lsn chunk_commit_lsn;
  std::int64_t chunk_commit_time = 0;
  /// The incremental snapshots that are under way once this batch is written; null: no news.
  std::shared_ptr<const std::vector<IncrementalSnapshot>> incremental;
  /// The tables that are followed once this batch is written, as the offset knows them; null: no news.
  std::shared_ptr<const std::vector<FollowedTable>> tables;
  /// The server waits for what is in this batch to be confirmed: store its progress as soon as it is written.
  bool wants_flush = false;
  /// No batch of this lane follows.
  bool is_last = false;
  /// What is charged for a row that is larger than the batch.
  LargeRows::Hold large;
  /// Whether the batch belongs to its lane's own share and not to the shared pool.
  bool is_reserved = false;
};

inline Batch::Batch(std::size_t frame_bytes)
    : frame_bytes_(frame_bytes), frames_(frame_bytes), lines(frame_bytes * kLinesPerFrameByte) {
  set_aside();
}

}  // namespace walcat
