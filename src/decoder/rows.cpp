// Rows of COPY to changes: those of a snapshot, and the chunks of incremental ones.

#include <fmt/format.h>

#include <utility>

#include "copy_row.h"
#include "relation_cache.h"
#include "transaction_count.h"
#include "walcat/decoder/decoder.h"

namespace walcat {

// A snapshot's rows are all of one relation. Tables take turns; keeping the object keeps what is rendered from it.
Result<std::shared_ptr<const Relation>> Decoder::relation_of(const Batch& batch) {
  const SnapshotSource& source = *batch.snapshot;
  if (snapshot_ != batch.snapshot) {
    const bool is_anew = snapshot_ == nullptr || batch.beginning != rows_beginning_ || batch.run != rows_run_;
    rows_beginning_ = batch.beginning;
    rows_run_ = batch.run;
    if (is_anew || snapshot_->first_index != source.first_index || batch.chunk != 0) {
      rows_ = 0;
      snapshot_relations_.clear();
    }
    snapshot_ = batch.snapshot;
  }
  std::shared_ptr<const Relation>& kept = snapshot_relations_[snapshot_];
  if (kept == nullptr) {
    Relation described = source.relation;
    complete_description(described, options_.use_notes ? source.note.get() : nullptr);
    auto ruled = ruled_relation(std::move(described), relation_rules(), {std::nullopt, source.parts});
    if (!ruled.is_ok()) return ruled.status().with_context("snapshot");
    kept = std::move(*ruled);
    if (options_.relation_described) options_.relation_described(*kept, *batch.database);
  }
  return kept;
}

// The rows' transaction is the snapshot.
Status Decoder::decode_rows(Batch& batch) {
  if (batch.snapshot == nullptr) return Status::ok();
  const auto described = relation_of(batch);
  if (!described.is_ok()) {
    batch.chunks_done.clear();
    batch.ends_snapshot = false;
    return described.status();
  }
  const auto& relation = *described;
  batch.relations.push_back(relation);
  Transaction& transaction = batch.transactions.emplace_back();
  transaction.commit_lsn = batch.snapshot->point;
  transaction.commit_time = batch.snapshot->began;
  Status status;
  const bool is_wanted = relation->is_wanted && (options_.skipped >> static_cast<unsigned>(Operation::kRead) & 1) == 0;
  if (is_wanted) {
    batch.for_each_frame_in_place([&](char* row, std::size_t size) {
      status = read_row(row, size, *relation);
      return status.is_ok();
    });
  }
  if (!batch.changes.empty() && status.is_ok()) {
    batch.changes.front().mark = batch.first_mark;
    if (batch.last_mark != SnapshotMark::kInside) batch.changes.back().mark = batch.last_mark;
  }
  // The rows before a malformed one are printed.
  const Status valid = check_texts();
  if (status.is_ok()) status = valid;
  if (!status.is_ok()) {
    batch.chunks_done.clear();
    batch.ends_snapshot = false;
  }
  return status;
}

// The rows stand behind the one change of the transaction that marks their place: a message, which is not printed.
Status Decoder::decode_chunk(Batch& batch) {
  // A window that is forgotten has no use for the chunk; where there never was one, the chunk has passed it before.
  if (options_.window != nullptr && (window_ == nullptr || !window_->expects(batch.chunk))) return Status::ok();
  const auto described = relation_of(batch);
  if (!described.is_ok()) return described.status();
  const auto& relation = *described;
  batch.relations.push_back(relation);
  Transaction& transaction = batch.transactions.emplace_back();
  transaction.commit_lsn = batch.chunk_commit_lsn;
  transaction.commit_time = batch.chunk_commit_time;
  rows_ = 0;
  Status status;
  batch.for_each_frame_in_place([&](char* row, std::size_t size) {
    const std::size_t cells = batch.cells.size();
    status = read_row(row, size, *relation);
    if (!status.is_ok()) return false;
    if (window_ != nullptr && window_->leaves_out(*relation, batch, batch.cells.data() + cells)) {
      batch.changes.pop_back();
      batch.cells.resize(cells);
      --rows_;
      return true;
    }
    batch.changes.back().lsn = batch.chunk_commit_lsn;
    batch.changes.back().mark = SnapshotMark::kIncremental;
    return true;
  });
  if (window_ != nullptr) window_->conclude(batch.changes.size(), batch.frame_count() - batch.changes.size());
  return status;
}

// The window is not looked through any more: whoever is shown the rows may take their time.
Status Decoder::pass_chunk(Batch& batch) {
  if (options_.chunk_passed) options_.chunk_passed(batch);
  const bool is_skipped = (options_.skipped >> static_cast<unsigned>(Operation::kRead) & 1) != 0;
  if (is_skipped || (!batch.relations.empty() && !batch.relations.back()->is_wanted)) batch.changes.clear();
  return check_texts();
}

Status Decoder::read_row(char* row, std::size_t size, const Relation& relation) {
  const auto cells = batch_->cells.size();
  batch_->cells.resize(cells + relation.columns.size());
  // Before escapes are taken out where the row stands.
  const bool is_valid = is_sound({row, size});
  if (!split_copy_row(row, size, batch_->frame_base(), batch_->cells.data() + cells, relation.columns.size())) {
    return {StatusCode::kProtocolError,
            fmt::format("snapshot, relation {}.{}: a row of {} bytes does not have {} columns", relation.schema,
                        relation.name, size, relation.columns.size())};
  }
  Change& change = batch_->changes.emplace_back();
  change.relation = &relation;
  change.lsn = snapshot_->point;
  change.index = snapshot_->first_index + rows_++;
  change.cells_begin = static_cast<std::uint32_t>(cells);
  change.operation = Operation::kRead;
  change.mark = SnapshotMark::kInside;
  change.has_invalid_text = !is_valid;
  batch_has_invalid_text_ |= !is_valid;
  return Status::ok();
}

}  // namespace walcat
