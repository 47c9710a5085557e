#include "walcat/reader/change_filter.h"

#include <algorithm>

#include "walcat/base/byte_reader.h"
#include "walcat/model/heartbeat.h"
#include "walcat/model/relation.h"
#include "walcat/reader/snapshot_signal.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

Operation operation_of(char kind) {
  switch (kind) {
    case 'I': return Operation::kInsert;
    case 'U': return Operation::kUpdate;
    case 'D': return Operation::kDelete;
    case 'T': return Operation::kTruncate;
    default: return Operation::kMessage;
  }
}

}  // namespace

bool ChangeFilter::passes(std::string_view frame) {
  const char kind = message_kind(frame);
  switch (kind) {
    case 'I':
    case 'U':
    case 'D': return !is_done_ && !is_skipped(operation_of(kind)) && is_wanted(ByteReader(message_body(frame)).u32());
    case 'T': return !is_done_ && !is_skipped(operation_of(kind)) && truncates_wanted(frame);
    case 'M': return passes_message(frame);
    case 'B': is_done_ = Lsn{ByteReader(message_body(frame)).u64()} < position_; return false;
    case 'C': commit(frame); return false;
    case 'R': describe(frame); return false;
    default: return false;
  }
}

bool ChangeFilter::passes_rows(const SnapshotSource& source) const {
  if (is_skipped(Operation::kRead)) return false;
  Relation relation;
  relation.schema = source.relation.schema;
  relation.name = source.relation.name;
  if (selection_ != nullptr) selection_->apply(relation);
  return relation.is_wanted;
}

bool ChangeFilter::passes_message(std::string_view frame) {
  ByteReader body(message_body(frame));
  const bool is_transactional = (body.u8() & 1) != 0;
  const Lsn lsn{body.u64()};
  const std::string_view prefix = body.cstring();
  const bool is_done = is_transactional ? is_done_ : lsn <= position_;
  if (!is_transactional) position_ = std::max(position_, lsn);
  return !is_done && !is_skipped(Operation::kMessage) && prefix != kHeartbeatPrefix && prefix != kSnapshotPrefix;
}

void ChangeFilter::commit(std::string_view frame) {
  ByteReader body(message_body(frame));
  body.bytes(sizeof(std::uint8_t) + sizeof(std::uint64_t));
  position_ = std::max(position_, Lsn{body.u64()});
  is_done_ = false;
}

void ChangeFilter::describe(std::string_view frame) {
  ByteReader body(message_body(frame));
  const std::uint32_t oid = body.u32();
  Relation relation;
  relation.schema = body.cstring();
  if (relation.schema.empty()) relation.schema = "pg_catalog";
  relation.name = body.cstring();
  if (selection_ != nullptr) selection_->apply(relation);
  wanted_[oid] = relation.is_wanted;
  last_oid_ = 0;
}

bool ChangeFilter::is_wanted(std::uint32_t relation_oid) {
  if (relation_oid == last_oid_) return last_wanted_;
  const auto known = wanted_.find(relation_oid);
  last_oid_ = relation_oid;
  last_wanted_ = known == wanted_.end() || known->second;
  return last_wanted_;
}

bool ChangeFilter::truncates_wanted(std::string_view frame) {
  ByteReader body(message_body(frame));
  const std::uint32_t count = body.u32();
  body.u8();
  for (std::uint32_t i = 0; i < count && !body.failed(); ++i) {
    if (is_wanted(body.u32())) return true;
  }
  return false;
}

bool ChangeFilter::is_skipped(Operation operation) const {
  return (skipped_ >> static_cast<unsigned>(operation) & 1) != 0;
}

}  // namespace walcat
