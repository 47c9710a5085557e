#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "decoder/feed.h"
#include "walcat/decoder/snapshot_window.h"

namespace walcat::test {

/// Table `t2` with a key of two columns, of which the second stands before the first.
inline TableSpec two_keys_table() {
  return {16385, "public", "t2", 'd', {{"b", kText, true}, {"v"}, {"a", kInt4, true}}};
}

/// Cells of one row, or of two tuples one behind the other, and the batch that their texts stand in.
class RowOf {
 public:
  explicit RowOf(const Tuple& values) { append(values); }

  /// Returns the place of the first cell.
  std::size_t append(const Tuple& values) {
    const std::size_t begin = cells_.size();
    for (const Value& value : values) {
      const auto size = static_cast<std::int32_t>(value.text.size());
      const std::int32_t mark = value.kind == 'n' ? Cell::kNull : Cell::kUnchanged;
      cells_.push_back({batch_.append_text(value.text), value.kind == 't' ? size : mark});
    }
    return begin;
  }
  const Batch& batch() const { return batch_; }
  const Cell* cells() const { return cells_.data(); }

 private:
  Batch batch_{4096};
  std::vector<Cell> cells_;
};

/// A window between a worker and a decoder, in the words of both.
class WindowRows {
 public:
  explicit WindowRows(TableSpec table = plain_table(), std::vector<std::string> key = {"id"})
      : source_(source_of(table)) {
    window.follow();
    window.enter();
    window.begin_at(1000);
    window.watch({table.oid, std::move(key)});
  }

  const Relation& relation() const { return source_->relation; }

  // The stream's words.

  void insert(const Tuple& row) { touch(OldTuple::kNone, {}, row); }
  void update(const Tuple& row) { touch(OldTuple::kNone, {}, row); }
  void update(OldTuple kind, const Tuple& old, const Tuple& row) { touch(kind, old, row); }
  void remove(OldTuple kind, const Tuple& old) {
    const auto lock = window.enter();
    const RowOf was(old);
    window.touch(relation(), was.batch(), kind, was.cells(), nullptr);
  }
  void truncate() {
    const auto lock = window.enter();
    window.touch_all(relation());
  }
  void pass(std::uint32_t xid) {
    const auto lock = window.enter();
    window.pass_transaction(xid);
  }

  // The worker's.

  /// What the chunk sees: nothing that comes by.
  VisibleTransactions seen;
  /// The chunk holds `rows`, in COPY's text form.
  SnapshotWindow::Key hold(const Strings& rows) {
    Batch batch(4096);
    for (const std::string& row : rows) batch.append_frame(row);
    return window.hold(batch, relation(), seen);
  }

  /// Whether the chunk's row is left out at its place in the stream.
  bool leaves_out(const Tuple& row) {
    const auto lock = window.enter();
    const RowOf cells(row);
    return window.leaves_out(relation(), cells.batch(), cells.cells());
  }
  /// The chunk's end, and what the worker hears.
  std::optional<SnapshotWindow::Verdict> conclude(std::size_t printed = 0, std::size_t left_out = 0) {
    {
      const auto lock = window.enter();
      window.conclude(printed, left_out);
    }
    return window.wait_for_verdict();
  }

  SnapshotWindow window;

 private:
  void touch(OldTuple kind, const Tuple& old, const Tuple& row) {
    const auto lock = window.enter();
    RowOf cells(kind == OldTuple::kNone ? row : old);
    const std::size_t now = kind == OldTuple::kNone ? 0 : cells.append(row);
    const Cell* before = kind == OldTuple::kNone ? nullptr : cells.cells();
    window.touch(relation(), cells.batch(), kind, before, cells.cells() + now);
  }

  std::shared_ptr<const SnapshotSource> source_;
};

}  // namespace walcat::test
