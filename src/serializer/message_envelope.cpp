#include "message_envelope.h"

#include <fmt/format.h>

#include <string>

#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

constexpr std::size_t kSourceBytes = 512;
// What stands behind the source block of a row.
constexpr std::size_t kOperationMost = 32;

std::string source_begin(const RelationFragments& fragments) {
  return fmt::format(R"(,"source":{{"version":"{}","connector":{},"name":{},"ts_ms":)", WALCAT_VERSION,
                     fragments.connector(), fragments.name_with_schema());
}

std::string source_table(const RelationFragments& fragments) {
  return fmt::format(R"(","db":{},"schema":{},"table":{},"txId":)", fragments.database(), fragments.schema(),
                     fragments.table());
}

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
  char* at = out.reserve(source_head_.size() + source_tail_.size() + 2 * kNumberMost + kOperationMost);
  at = source(at, change);
  switch (view.operation) {
    case Operation::kInsert: at = put(at, "},\"op\":\"c\"}}"); break;
    case Operation::kUpdate: at = put(at, "},\"op\":\"u\"}}"); break;
    case Operation::kDelete: at = put(at, "},\"op\":\"d\"}}"); break;
    case Operation::kTruncate: at = put(at, "},\"op\":\"t\"}}"); break;
    case Operation::kRead: at = put(at, "},\"op\":\"r\"}}"); break;
    default: out.advance_to(at); return logical_message(out, batch, change);
  }
  out.advance_to(at);
}

void MessageEnvelope::rows(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
                           const RowView& view) {
  if (view.before == nullptr) {
    view.after == nullptr ? out.literal("{\"message\":{\"before\":null,\"after\":null")
                          : out.literal("{\"message\":{\"before\":null,\"after\":{");
  } else {
    out.literal("{\"message\":{\"before\":{");
    rows_.before(out, batch, fragments, view, RowWriter::NotSent::kLeftOut);
    view.after == nullptr ? out.literal("},\"after\":null") : out.literal("},\"after\":{");
  }
  if (view.after == nullptr) return;
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
  head.raw(fragments.source_begin([&] { return source_begin(fragments); }));
  head.number(unix_millis(transaction.commit_time));
  head.literal(",\"snapshot\":\"");
  write_mark(head, change.mark, MarkDetail::kWhole);
  head.raw(fragments.source_table([&] { return source_table(fragments); }));
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

// Without the brace at its end.
char* MessageEnvelope::source(char* at, const Change& change) {
  at = put(at, source_head_.data(), source_head_.size());
  at = lsn_.put(at, change.lsn.value);
  at = put(at, source_tail_.data(), source_tail_.size());
  return options_.position ? put(at, index_base_ + change.index) : at;
}

void MessageEnvelope::logical_message(LineWriter& out, const Batch& batch, const Change& change) {
  out.literal("},\"op\":\"m\",\"message\":{\"prefix\":");
  out.string(batch.text(batch.cells[change.cells_begin]));
  out.literal(",\"content\":");
  out.base64(batch.text(batch.cells[change.cells_begin + 1]));
  out.literal("}}}");
}

}  // namespace walcat
