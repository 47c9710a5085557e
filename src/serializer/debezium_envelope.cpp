#include "debezium_envelope.h"

#include <string>

#include "debezium_schema.h"
#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

constexpr std::size_t kSourceBytes = 512;

void number_or_null(LineWriter& out, std::uint64_t value) { value == 0 ? out.literal("null") : out.number(value); }

void operation(LineWriter& out, Operation operation) {
  switch (operation) {
    case Operation::kInsert: return out.literal("\"op\":\"c\"");
    case Operation::kUpdate: return out.literal("\"op\":\"u\"");
    case Operation::kDelete: return out.literal("\"op\":\"d\"");
    case Operation::kTruncate: return out.literal("\"op\":\"t\"");
    case Operation::kRead: return out.literal("\"op\":\"r\"");
    default: return out.literal("\"op\":\"m\"");
  }
}

// Text that is longer-lived but not padded.
void string(LineWriter& out, const std::string& text) {
  ByteBuffer padded(text.size());
  padded.append(text);
  out.string(padded.view());
}

}  // namespace

DebeziumEnvelope::DebeziumEnvelope(const SerializerOptions& options)
    : options_(options),
      rows_(options),
      received_(kSourceBytes),
      source_begin_(kSourceBytes),
      source_head_(kSourceBytes),
      source_middle_(kSourceBytes),
      source_tail_(kSourceBytes),
      transaction_schema_(kSourceBytes) {
  transaction_schema_.append(transaction_schema(options));
  LineWriter head(source_begin_);
  head.literal("{\"version\":\"" WALCAT_VERSION "\",\"connector\":\"postgresql\",\"name\":");
  string(head, options.connector_name);
  head.literal(",\"ts_ms\":");
  head.close();
}

// When the change came to us, which a capture knows as well.
void DebeziumEnvelope::start(const Batch& batch) {
  remembered_ = false;
  received_ns_ = unix_nanos(batch.received_at);
  received_.clear(kSourceBytes);
  LineWriter received(received_);
  received.literal(",\"ts_ms\":");
  received.number(received_ns_ / 1'000'000);
  received.literal(",\"ts_us\":");
  received.number(received_ns_ / 1'000);
  received.literal(",\"ts_ns\":");
  received.number(received_ns_);
  received.literal("}");
  received.close();
}

void DebeziumEnvelope::write(LineWriter& out, const Batch& batch, const Change& change,
                             const RelationFragments& fragments, const RowView& view) {
  if (options_.envelope == Envelope::kDebezium) return payload(out, batch, change, fragments, view);
  out.literal("{\"schema\":");
  out.raw(schema(change, fragments));
  out.literal(",\"payload\":");
  payload(out, batch, change, fragments, view);
  out.literal("}");
}

void DebeziumEnvelope::payload(LineWriter& out, const Batch& batch, const Change& change,
                               const RelationFragments& fragments, const RowView& view) {
  switch (change.operation) {
    case Operation::kBegin:
    case Operation::kCommit: return write_transaction_border(out, batch, change);
    case Operation::kMessage: return logical_message(out, batch, change, fragments);
    default: return row_change(out, batch, change, fragments, view);
  }
}

void DebeziumEnvelope::row_change(LineWriter& out, const Batch& batch, const Change& change,
                                  const RelationFragments& fragments, const RowView& view) {
  const Transaction& transaction = batch.transactions[change.transaction];
  if (view.before == nullptr) {
    out.literal("{\"before\":null");
  } else {
    out.literal("{\"before\":{");
    rows_.before(out, batch, fragments, view, RowWriter::NotSent::kNull);
    out.literal("}");
  }
  if (view.after == nullptr) {
    out.literal(",\"after\":null,\"source\":");
  } else {
    out.literal(",\"after\":{");
    rows_.after(out, batch, fragments, view);
    out.literal("},\"source\":");
  }
  source(out, batch, change, fragments);
  out.literal(",\"transaction\":");
  transaction_block(out, change, transaction, view.ordinal);
  out.literal(",");
  operation(out, view.operation);
  out.raw(received_.view());
}

void DebeziumEnvelope::logical_message(LineWriter& out, const Batch& batch, const Change& change,
                                       const RelationFragments& fragments) {
  const Transaction& transaction = batch.transactions[change.transaction];
  const std::string_view content = batch.text(batch.cells[change.cells_begin + 1]);
  out.literal("{\"op\":\"m\",\"ts_ms\":");
  out.number(received_ns_ / 1'000'000);
  out.literal(",\"source\":");
  source(out, batch, change, fragments);
  out.literal(",\"transaction\":");
  transaction_block(out, change, transaction, 0);
  out.literal(",\"message\":{\"prefix\":");
  out.string(batch.text(batch.cells[change.cells_begin]));
  out.literal(",\"content\":");
  switch (options_.debezium.binary_handling_mode) {
    case DebeziumOptions::BinaryHandling::kHex: out.hex(content); break;
    case DebeziumOptions::BinaryHandling::kBase64UrlSafe: out.base64_url_safe(content); break;
    default: out.base64(content);
  }
  out.literal("}}");
}

void DebeziumEnvelope::source(LineWriter& out, const Batch& batch, const Change& change,
                              const RelationFragments& fragments) {
  remember(batch, change, fragments);
  char* at = out.reserve(source_head_.size() + source_middle_.size() + source_tail_.size() + 3 * kNumberMost + 1);
  at = put(at, source_head_.data(), source_head_.size());
  at = lsn_.put(at, change.lsn.value);
  at = put(at, source_middle_.data(), source_middle_.size());
  at = lsn_.put(at, change.lsn.value);
  at = put(at, source_tail_.data(), source_tail_.size());
  if (options_.position) at = put(at, batch.transactions[change.transaction].index_base + change.index);
  out.advance_to(put(at, "}"));
}

void DebeziumEnvelope::remember(const Batch& batch, const Change& change, const RelationFragments& fragments) {
  if (remembered_ && change.relation == relation_ && change.transaction == transaction_ && change.mark == mark_) return;
  remembered_ = true;
  relation_ = change.relation;
  transaction_ = change.transaction;
  mark_ = change.mark;
  const Transaction& transaction = batch.transactions[change.transaction];
  render_head(transaction, fragments);
  render_middle(transaction, fragments);
  render_tail(transaction);
}

void DebeziumEnvelope::render_head(const Transaction& transaction, const RelationFragments& fragments) {
  source_head_.clear(kSourceBytes);
  LineWriter head(source_head_);
  head.raw(source_begin_.view());
  head.number(unix_millis(transaction.commit_time));
  head.literal(",\"snapshot\":\"");
  write_mark(head, mark_, MarkDetail::kEachTable);
  head.literal("\",\"db\":");
  head.raw(fragments.database());
  head.literal(",\"sequence\":\"[");
  if (transaction.previous_commit) {
    head.literal("\\\"");
    head.number(transaction.previous_commit.value);
    head.literal("\\\"");
  } else {
    head.literal("null");
  }
  head.literal(",\\\"");
  head.close();
}

void DebeziumEnvelope::render_middle(const Transaction& transaction, const RelationFragments& fragments) {
  source_middle_.clear(kSourceBytes);
  LineWriter middle(source_middle_);
  middle.literal("\\\"]\",\"ts_us\":");
  middle.number(unix_micros(transaction.commit_time));
  middle.literal(",\"ts_ns\":");
  middle.number(unix_nanos(transaction.commit_time));
  middle.literal(",\"schema\":");
  middle.raw(fragments.schema());
  middle.literal(",\"table\":");
  middle.raw(fragments.table());
  middle.literal(",\"txId\":");
  number_or_null(middle, transaction.xid);
  middle.literal(",\"lsn\":");
  middle.close();
}

void DebeziumEnvelope::render_tail(const Transaction& transaction) {
  source_tail_.clear(kSourceBytes);
  LineWriter tail(source_tail_);
  tail.literal(",\"xmin\":null,\"origin\":");
  transaction.origin == nullptr ? tail.literal("null") : string(tail, *transaction.origin);
  tail.literal(",\"origin_lsn\":");
  number_or_null(tail, transaction.origin_lsn.value);
  if (options_.position) {
    tail.literal(",\"commit_lsn\":");
    tail.number(transaction.commit_lsn.value);
    tail.literal(",\"index\":");
  }
  tail.close();
}

void DebeziumEnvelope::transaction_block(LineWriter& out, const Change& change, const Transaction& transaction,
                                         std::uint32_t ordinal) {
  if (!options_.transactions || transaction.xid == 0) return out.literal("null");
  out.literal("{\"id\":");
  write_transaction_id(out, transaction);
  out.literal(",\"total_order\":");
  out.number(change.total_order + ordinal);
  out.literal(",\"data_collection_order\":");
  out.number(change.table_order + ordinal);
  out.literal("}");
}

// Large, and the same for every change of a relation: rendered once.
std::string_view DebeziumEnvelope::schema(const Change& change, const RelationFragments& fragments) {
  if (change.operation == Operation::kBegin || change.operation == Operation::kCommit) {
    return transaction_schema_.view();
  }
  return fragments.value_schema(
      [&] { return change.relation == nullptr ? message_schema(options_) : row_schema(options_, fragments); });
}

}  // namespace walcat
