#include "message_envelope.h"

#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

constexpr std::size_t kSourceBytes = 512;

}  // namespace

MessageEnvelope::MessageEnvelope(const SerializerOptions& options)
    : options_(options), rows_(options), source_head_(kSourceBytes), source_tail_(kSourceBytes) {}

void MessageEnvelope::start(const Batch&) { remembered_ = false; }

void MessageEnvelope::write(LineWriter& out, const Batch& batch, const Change& change,
                            const RelationFragments& fragments, const RowView& view) {
  if (change.operation == Operation::kBegin || change.operation == Operation::kCommit) {
    out.literal("{\"transaction\":");
    write_transaction_border(out, batch, change);
    return out.literal("}");
  }
  remember(batch, change, fragments);
  rows(out, batch, fragments, view);
  source(out, change);
  switch (view.operation) {
    case Operation::kInsert: return out.literal(",\"op\":\"c\"}}");
    case Operation::kUpdate: return out.literal(",\"op\":\"u\"}}");
    case Operation::kDelete: return out.literal(",\"op\":\"d\"}}");
    case Operation::kTruncate: return out.literal(",\"op\":\"t\"}}");
    case Operation::kRead: return out.literal(",\"op\":\"r\"}}");
    default: return logical_message(out, batch, change);
  }
}

void MessageEnvelope::rows(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
                           const RowView& view) {
  if (view.before == nullptr) {
    out.literal("{\"message\":{\"before\":null,\"after\":");
  } else {
    out.literal("{\"message\":{\"before\":{");
    rows_.before(out, batch, fragments, view, RowWriter::NotSent::kLeftOut);
    out.literal("},\"after\":");
  }
  if (view.after == nullptr) return out.literal("null");
  out.literal("{");
  rows_.after(out, batch, fragments, view);
  out.literal("}");
}

void MessageEnvelope::remember(const Batch& batch, const Change& change, const RelationFragments& fragments) {
  if (remembered_ && change.relation == relation_ && change.transaction == transaction_ && change.mark == mark_) return;
  remembered_ = true;
  relation_ = change.relation;
  transaction_ = change.transaction;
  mark_ = change.mark;
  index_base_ = batch.transactions[change.transaction].index_base;
  const Transaction& transaction = batch.transactions[change.transaction];
  source_head_.clear(kSourceBytes);
  LineWriter head(source_head_);
  head.literal(",\"source\":{\"version\":\"" WALCAT_VERSION "\",\"connector\":");
  head.raw(fragments.connector());
  head.literal(",\"name\":");
  head.raw(fragments.name_with_schema());
  head.literal(",\"ts_ms\":");
  head.number(unix_millis(transaction.commit_time));
  head.literal(",\"snapshot\":\"");
  write_mark(head, change.mark, MarkDetail::kWhole);
  head.literal("\",\"db\":");
  head.raw(fragments.database());
  head.literal(",\"schema\":");
  head.raw(fragments.schema());
  head.literal(",\"table\":");
  head.raw(fragments.table());
  head.literal(",\"txId\":");
  transaction.xid == 0 ? head.literal("null") : head.number(std::uint64_t{transaction.xid});
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
  if (options_.position) out.number(index_base_ + change.index);
  out.literal("}");
}

void MessageEnvelope::logical_message(LineWriter& out, const Batch& batch, const Change& change) {
  out.literal(",\"op\":\"m\",\"message\":{\"prefix\":");
  out.string(batch.text(batch.cells[change.cells_begin]));
  out.literal(",\"content\":");
  out.base64(batch.text(batch.cells[change.cells_begin + 1]));
  out.literal("}}}");
}

}  // namespace walcat
