#include "envelope.h"

#include "debezium_envelope.h"
#include "message_envelope.h"
#include "row_envelope.h"
#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

void tables(LineWriter& out, const TransactionSummary& summary) {
  out.literal("[");
  bool first = true;
  for (const auto& table : summary.tables) {
    // Messages belong to no table.
    const std::string name = table.schema.empty() ? std::string() : table.schema + "." + table.table;
    ByteBuffer padded(name.size());
    padded.append(name);
    if (!first) out.literal(",");
    first = false;
    out.literal("{\"data_collection\":");
    out.string(padded.view());
    out.literal(",\"event_count\":");
    out.number(table.changes);
    out.literal("}");
  }
  out.literal("]");
}

}  // namespace

std::unique_ptr<EnvelopeWriter> make_envelope(const SerializerOptions& options) {
  switch (options.envelope) {
    case Envelope::kMessage: return std::make_unique<MessageEnvelope>(options);
    case Envelope::kRow: return std::make_unique<RowEnvelope>(options);
    case Envelope::kDebezium:
    case Envelope::kDebeziumSchema: return std::make_unique<DebeziumEnvelope>(options);
  }
  return nullptr;
}

void write_transaction_border(LineWriter& out, const Batch& batch, const Change& change) {
  const Transaction& transaction = batch.transactions[change.transaction];
  if (change.operation == Operation::kBegin) {
    out.literal("{\"status\":\"BEGIN\",\"id\":");
    write_transaction_id(out, transaction);
    out.literal(",\"event_count\":null,\"data_collections\":null");
  } else {
    const TransactionSummary& summary = batch.transaction_summaries[change.cells_begin];
    out.literal("{\"status\":\"END\",\"id\":");
    write_transaction_id(out, transaction);
    out.literal(",\"event_count\":");
    out.number(summary.changes);
    out.literal(",\"data_collections\":");
    tables(out, summary);
  }
  out.literal(",\"ts_ms\":");
  out.number(unix_millis(transaction.commit_time));
  out.literal("}");
}

void write_mark(LineWriter& out, SnapshotMark mark, MarkDetail detail) {
  const bool whole = detail == MarkDetail::kWhole;
  switch (mark) {
    case SnapshotMark::kNone: return out.literal("false");
    case SnapshotMark::kFirst: return out.literal("first");
    case SnapshotMark::kFirstOfTable: return whole ? out.literal("true") : out.literal("first_in_data_collection");
    case SnapshotMark::kInside: return out.literal("true");
    case SnapshotMark::kLastOfTable: return whole ? out.literal("true") : out.literal("last_in_data_collection");
    case SnapshotMark::kLast: return out.literal("last");
    case SnapshotMark::kIncremental: return out.literal("incremental");
  }
}

void write_transaction_id(LineWriter& out, const Transaction& transaction) {
  out.literal("\"");
  out.number(std::uint64_t{transaction.xid});
  out.literal(":");
  out.number(transaction.commit_lsn.value);
  out.literal("\"");
}

}  // namespace walcat
