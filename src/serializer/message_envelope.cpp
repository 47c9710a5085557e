#include "message_envelope.h"

#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

constexpr std::size_t kSourceBytes = 512;

std::size_t old_cells(const Change& change) {
  return change.old_tuple == OldTuple::kNone ? 0 : change.relation->columns.size();
}

}  // namespace

MessageEnvelope::MessageEnvelope(const SerializerOptions& options)
    : options_(options), cache_(options), source_head_(kSourceBytes), source_tail_(kSourceBytes) {}

void MessageEnvelope::start(const Batch&) { remembered_ = false; }

void MessageEnvelope::write(LineWriter& out, const Batch& batch, const Change& change) {
  remember(batch, change);
  switch (change.operation) {
    case Operation::kInsert:
      out.literal("{\"message\":{\"before\":null,\"after\":");
      after(out, batch, change);
      source(out, change);
      out.literal(",\"op\":\"c\"}}\n");
      break;
    case Operation::kUpdate:
      out.literal("{\"message\":{\"before\":");
      before(out, batch, change);
      out.literal(",\"after\":");
      after(out, batch, change);
      source(out, change);
      out.literal(",\"op\":\"u\"}}\n");
      break;
    case Operation::kDelete:
      out.literal("{\"message\":{\"before\":");
      before(out, batch, change);
      out.literal(",\"after\":null");
      source(out, change);
      out.literal(",\"op\":\"d\"}}\n");
      break;
    case Operation::kTruncate:
      out.literal("{\"message\":{\"before\":null,\"after\":null");
      source(out, change);
      out.literal(",\"op\":\"t\"}}\n");
      break;
    case Operation::kMessage:
      out.literal("{\"message\":{\"before\":null,\"after\":null");
      source(out, change);
      out.literal(",\"op\":\"m\",\"message\":{\"prefix\":");
      out.string(batch.text(batch.cells[change.cells_begin]));
      out.literal(",\"content\":");
      out.base64(batch.text(batch.cells[change.cells_begin + 1]));
      out.literal("}}}\n");
      break;
  }
}

void MessageEnvelope::remember(const Batch& batch, const Change& change) {
  const bool same_relation = remembered_ && change.relation == relation_;
  if (same_relation && change.transaction == transaction_) return;
  if (!same_relation) {
    fragments_ = &cache_.get(change.relation, batch);
    relation_ = change.relation;
  }
  remembered_ = true;
  transaction_ = change.transaction;
  const Transaction& transaction = batch.transactions[change.transaction];
  source_head_.clear(kSourceBytes);
  LineWriter head(source_head_);
  head.raw(fragments_->source_head());
  head.number(unix_millis(transaction.commit_time));
  head.raw(fragments_->source_middle());
  if (transaction.xid == 0) {
    head.literal("null");
  } else {
    head.number(std::uint64_t{transaction.xid});
  }
  head.literal(",\"lsn\":");
  head.close();
  source_tail_.clear(kSourceBytes);
  LineWriter tail(source_tail_);
  tail.literal(",\"xmin\":null");
  if (options_.position) {
    tail.literal(",\"commit_lsn\":");
    tail.number(transaction.commit_lsn.value);
    tail.literal(",\"index\":");
  }
  tail.close();
}

void MessageEnvelope::source(LineWriter& out, const Change& change) {
  out.raw(source_head_.view());
  out.number(change.lsn.value);
  out.raw(source_tail_.view());
  if (options_.position) out.number(change.index);
  out.literal("}");
}

// All columns under identity FULL, else those that the identity is made of; the others were not sent.
void MessageEnvelope::before(LineWriter& out, const Batch& batch, const Change& change) {
  if (change.old_tuple == OldTuple::kNone) return out.literal("null");
  const Cell* old = batch.cells.data() + change.cells_begin;
  bool first = true;
  out.literal("{");
  for (const auto& column : fragments_->columns()) {
    const Cell& value = *old++;
    if (change.old_tuple == OldTuple::kKey && !column.is_key) continue;
    out.raw(fragments_->name(column) + first, column.size - first);
    first = false;
    cell(out, batch, column, value);
  }
  out.literal("}");
}

// A TOAST value that did not change is not sent again; the old tuple has it under identity FULL or in a key.
void MessageEnvelope::after(LineWriter& out, const Batch& batch, const Change& change) {
  const Cell* old = batch.cells.data() + change.cells_begin;
  const Cell* now = old + old_cells(change);
  const bool has_old = change.old_tuple != OldTuple::kNone;
  bool first = true;
  out.literal("{");
  for (const auto& column : fragments_->columns()) {
    out.raw(fragments_->name(column) + first, column.size - first);
    first = false;
    const bool from_old = now->size == Cell::kUnchanged && has_old && old->size >= 0;
    cell(out, batch, column, from_old ? *old : *now);
    ++now;
    ++old;
  }
  out.literal("}");
}

void MessageEnvelope::cell(LineWriter& out, const Batch& batch, const RelationFragments::ColumnFragment& column,
                           const Cell& cell) {
  if (cell.size < 0) {
    if (cell.size == Cell::kNull) return out.literal("null");
    return out.literal("\"__debezium_unavailable_value\"");
  }
  const char* text = batch.frame_base() + cell.offset;
  const auto size = static_cast<std::size_t>(cell.size);
  if (column.form == ValueForm::kString) return out.string(text, size);
  if (column.form == ValueForm::kBoolean) return *text == 't' ? out.literal("true") : out.literal("false");
  // NaN, Infinity and -Infinity are no JSON numbers.
  const char first_digit = *text == '-' ? text[1] : *text;
  if (first_digit >= '0' && first_digit <= '9') return out.raw(text, size);
  out.string(text, size);
}

}  // namespace walcat
