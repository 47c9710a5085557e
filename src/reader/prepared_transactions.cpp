#include "prepared_transactions.h"

#include <fmt/format.h>

#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

Status malformed(char kind, const std::string& what) {
  return Status(StatusCode::kProtocolError, fmt::format("message '{}' of a prepared transaction: {}", kind, what))
      .with_kind(FaultKind::kProtocol);
}

// What Begin Prepare says, and behind their flags Prepare and Stream Prepare.
struct Preparation {
  Lsn prepare_lsn;
  std::uint32_t xid = 0;
};

Result<Preparation> read_preparation(char kind, std::string_view message) {
  ByteReader reader(message);
  if (kind != 'b') reader.u8();
  Preparation preparation;
  preparation.prepare_lsn = Lsn{reader.u64()};
  reader.u64();
  reader.i64();
  preparation.xid = reader.u32();
  reader.cstring();
  return reader.failed() ? Result<Preparation>(malformed(kind, "it is cut")) : preparation;
}

}  // namespace

Status PreparedTransactions::take(std::string_view frame) {
  const char kind = message_kind(frame);
  if (!open_) return begin(message_body(frame));
  if (kind == 'P') return prepare(message_body(frame));
  if (kind == 'b' || kind == 'B' || kind == 'C') return malformed(kind, "inside of another transaction");
  return spool(frame);
}

Status PreparedTransactions::begin(std::string_view message) {
  const auto begun = read_preparation('b', message);
  if (!begun.is_ok()) return begun.status();
  if (prepared_.size() == kOpenTransactionsMost) return malformed('b', "more of them are open than a server keeps");
  open_.emplace(begun->xid, Transaction{begun->prepare_lsn, TransactionSpool(directory_), {}, 0});
  borders_.insert(begun->prepare_lsn);
  return Status::ok();
}

Status PreparedTransactions::spool(std::string_view frame) {
  descriptions_.keep(frame);
  describe(frame);
  open_->second.spool.append(frame, {});
  return Status::ok();
}

// It is to be understood whenever it is committed, whatever the server says of its relations until then.
void PreparedTransactions::describe(std::string_view frame) {
  Transaction& transaction = open_->second;
  switch (message_kind(frame)) {
    case 'R': transaction.described.insert(RelationDescriptions::described_by(frame)); return;
    case 'I':
    case 'U':
    case 'D':
      if (transaction.last != 0 && ByteReader(message_body(frame)).u32() == transaction.last) return;
      break;
    case 'T': break;
    default: return;
  }
  for (const std::uint32_t relation : RelationDescriptions::relations_of(frame)) {
    transaction.last = relation;
    const auto* known = descriptions_.find(relation);
    if (known == nullptr || !transaction.described.insert(relation).second) continue;
    for (const std::string& description : *known) transaction.spool.append(description, {});
  }
}

Status PreparedTransactions::prepare(std::string_view message) {
  const auto prepared = read_preparation('P', message);
  if (!prepared.is_ok()) return prepared.status();
  if (prepared->xid != open_->first || prepared->prepare_lsn != open_->second.prepare_lsn) {
    return malformed('P', fmt::format("of transaction {}, but it was {} that began", prepared->xid, open_->first));
  }
  keep(prepared->xid, std::move(open_->second));
  open_.reset();
  return Status::ok();
}

Status PreparedTransactions::adopt(char kind, std::string_view message, TransactionSpool spool) {
  const auto prepared = read_preparation(kind, message);
  if (!prepared.is_ok()) return prepared.status();
  if (prepared_.size() == kOpenTransactionsMost) return malformed(kind, "more of them are open than a server keeps");
  borders_.insert(prepared->prepare_lsn);
  keep(prepared->xid, Transaction{prepared->prepare_lsn, std::move(spool), {}, 0});
  return Status::ok();
}

void PreparedTransactions::keep(std::uint32_t xid, Transaction transaction) {
  forget(xid);
  prepared_.emplace(xid, std::move(transaction));
}

// Of transactions that were prepared before the stream began there is nothing to forget.
Status PreparedTransactions::roll_back(std::string_view message) {
  ByteReader reader(message);
  reader.u8();
  reader.u64();
  reader.u64();
  reader.i64();
  reader.i64();
  const std::uint32_t xid = reader.u32();
  reader.cstring();
  if (reader.failed()) return malformed('r', "it is cut");
  forget(xid);
  return Status::ok();
}

void PreparedTransactions::forget(std::uint32_t xid) {
  const auto found = prepared_.find(xid);
  if (found == prepared_.end()) return;
  borders_.erase(borders_.find(found->second.prepare_lsn));
  prepared_.erase(found);
}

std::optional<TransactionSpool> PreparedTransactions::commit(std::uint32_t xid, Lsn end) {
  const auto found = prepared_.find(xid);
  if (found == prepared_.end()) return std::nullopt;
  committed_.push_back({found->second.prepare_lsn, end});
  std::optional<TransactionSpool> spool(std::move(found->second.spool));
  prepared_.erase(found);
  return spool;
}

Lsn PreparedTransactions::border(Lsn stored) {
  while (!committed_.empty() && committed_.front().end <= stored) {
    borders_.erase(borders_.find(committed_.front().prepare_lsn));
    committed_.pop_front();
  }
  return borders_.empty() ? Lsn{} : *borders_.begin();
}

void PreparedTransactions::clear() {
  open_.reset();
  prepared_.clear();
  committed_.clear();
  borders_.clear();
}

}  // namespace walcat
