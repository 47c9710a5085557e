#include "row_envelope.h"

#include "walcat/base/postgres_time.h"

namespace walcat {

namespace {

void operation(LineWriter& out, Operation operation) {
  switch (operation) {
    case Operation::kInsert: return out.literal("\"__op\":\"c\"");
    case Operation::kUpdate: return out.literal("\"__op\":\"u\"");
    case Operation::kDelete: return out.literal("\"__op\":\"d\"");
    case Operation::kTruncate: return out.literal("\"__op\":\"t\"");
    case Operation::kMessage: return out.literal("\"__op\":\"m\"");
    case Operation::kBegin: return out.literal("\"__op\":\"BEGIN\"");
    case Operation::kCommit: return out.literal("\"__op\":\"END\"");
    case Operation::kRead: return out.literal("\"__op\":\"r\"");
  }
}

}  // namespace

void RowEnvelope::write(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                        const RowView& view) {
  const Transaction& transaction = batch.transactions[change.transaction];
  out.literal("{");
  bool any = false;
  if (view.after != nullptr) {
    any = rows_.after(out, batch, fragments, view);
  } else if (view.before != nullptr) {
    any = rows_.before(out, batch, fragments, view, RowWriter::NotSent::kLeftOut);
  }
  if (any) out.literal(",");
  operation(out, view.operation);
  out.literal(",\"__db\":");
  out.raw(fragments.database());
  out.literal(",\"__schema\":");
  out.raw(fragments.schema());
  out.literal(",\"__table\":");
  out.raw(fragments.table());
  out.literal(",\"__ts_ms\":");
  out.number(unix_millis(transaction.commit_time));
  if (change.operation == Operation::kMessage) {
    out.literal(",\"__prefix\":");
    out.string(batch.text(batch.cells[change.cells_begin]));
    out.literal(",\"__content\":");
    out.base64(batch.text(batch.cells[change.cells_begin + 1]));
  }
  if (options_.transactions && transaction.xid != 0) {
    out.literal(",\"__transaction\":");
    write_transaction_id(out, transaction);
  }
  out.literal(",\"__lsn\":");
  out.number(change.lsn.value);
  if (options_.position && change.operation != Operation::kBegin && change.operation != Operation::kCommit) {
    out.literal(",\"__commit_lsn\":");
    out.number(transaction.commit_lsn.value);
    out.literal(",\"__index\":");
    out.number(transaction.index_base + change.index);
  }
  out.literal("}");
}

}  // namespace walcat
