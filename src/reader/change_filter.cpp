#include "walcat/reader/change_filter.h"

#include "walcat/base/byte_reader.h"
#include "walcat/model/change.h"
#include "walcat/model/heartbeat.h"
#include "walcat/model/relation.h"
#include "walcat/reader/snapshot_signal.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

bool ChangeFilter::passes(std::string_view frame) {
  const char kind = message_kind(frame);
  switch (kind) {
    case 'I':
    case 'U':
    case 'D': return !is_skipped(kind) && is_wanted(ByteReader(message_body(frame)).u32());
    case 'T': return !is_skipped(kind) && truncates_wanted(frame);
    case 'M': {
      ByteReader body(message_body(frame));
      body.bytes(sizeof(std::uint8_t) + sizeof(std::uint64_t));
      const std::string_view prefix = body.cstring();
      return !is_skipped(kind) && prefix != kHeartbeatPrefix && prefix != kSnapshotPrefix;
    }
    case 'R': describe(frame); return false;
    default: return false;
  }
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

bool ChangeFilter::is_skipped(char kind) const {
  Operation operation = Operation::kMessage;
  if (kind == 'I') operation = Operation::kInsert;
  if (kind == 'U') operation = Operation::kUpdate;
  if (kind == 'D') operation = Operation::kDelete;
  if (kind == 'T') operation = Operation::kTruncate;
  return (skipped_ >> static_cast<unsigned>(operation) & 1) != 0;
}

}  // namespace walcat
