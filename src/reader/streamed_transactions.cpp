#include "streamed_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "walcat/base/byte_reader.h"

namespace walcat {

namespace {

// The header of XLogData, and the kind of the message in it.
constexpr std::size_t kHead = 26;
constexpr std::size_t kXid = 4;
constexpr std::uint64_t kLookEvery = 64 << 10;

Status malformed(char kind, const std::string& what) {
  return Status(StatusCode::kProtocolError, fmt::format("message '{}' of a streamed transaction: {}", kind, what))
      .with_kind(FaultKind::kProtocol);
}

void append_u32(std::string& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 0xFF);
}

}  // namespace

// There may be a million of them: those that matter are found at once.
void StreamedTransactions::Transaction::meet(std::uint32_t met) {
  if (met == xid) return;
  const auto seat = std::find(recent.begin(), recent.end(), met);
  if (seat != recent.end()) {
    std::rotate(recent.begin(), seat, std::next(seat));
    return;
  }
  std::rotate(recent.begin(), std::prev(recent.end()), recent.end());
  recent.front() = met;
  const std::uint32_t above = met - xid;
  const auto is_it = [&](const auto& subtransaction) { return subtransaction.first == met; };
  if (above <= highest && std::any_of(subtransactions.rbegin(), subtransactions.rend(), is_it)) return;
  highest = std::max(highest, above);
  subtransactions.emplace_back(met, spool.size());
}

Result<StreamedTransactions::Fate> StreamedTransactions::take(std::string_view frame) {
  if (frame.size() < kHead || frame[0] != 'w') return Fate::kPassed;
  const char kind = frame[kHead - 1];
  const std::string_view message = frame.substr(kHead);
  const auto taken = [](const Status& status) { return status.is_ok() ? Result<Fate>(Fate::kTaken) : status; };
  if (in_block_) {
    if (kind == 'S') return malformed(kind, "a block inside a block");
    if (kind != 'E') return spool(frame);
    in_block_ = false;
    return Fate::kTaken;
  }
  switch (kind) {
    case 'S': return taken(start_block(message));
    case 'c': return taken(commit(frame));
    case 'A': return taken(abort(message));
    default: return Fate::kPassed;
  }
}

Status StreamedTransactions::start_block(std::string_view message) {
  ByteReader reader(message);
  const std::uint32_t xid = reader.u32();
  const bool is_first = reader.u8() == 1;
  if (reader.failed()) return malformed('S', "it is cut");
  if (is_first) open_.erase(xid);
  if (!is_first && open_.count(xid) == 0) return malformed('S', fmt::format("transaction {} has no first block", xid));
  open_.try_emplace(xid, Transaction{xid, TransactionSpool(options_.directory), {}, {}, 0, {}});
  in_block_ = true;
  block_xid_ = xid;
  return Status::ok();
}

// Every message but the origin's has the ID of its transaction, or subtransaction, behind its kind.
Result<StreamedTransactions::Fate> StreamedTransactions::spool(std::string_view frame) {
  const auto room = make_room();
  if (!room.is_ok() || *room != Fate::kTaken) return room;
  unlooked_ += frame.size();
  Transaction& transaction = open_.at(block_xid_);
  const char kind = frame[kHead - 1];
  if (kind == 'O') {
    transaction.spool.append(frame, {});
    return Fate::kTaken;
  }
  ByteReader reader(frame.substr(kHead));
  const std::uint32_t xid = reader.u32();
  if (reader.failed()) return malformed(kind, "it is cut");
  transaction.meet(xid);
  if (kind == 'R' || kind == 'Y') transaction.descriptions.push_back(transaction.spool.size());
  transaction.spool.append(frame.substr(0, kHead), frame.substr(kHead + kXid));
  return Fate::kTaken;
}

// Looked at now and then. The largest goes to disk first: its memory is what helps most.
Result<StreamedTransactions::Fate> StreamedTransactions::make_room() {
  if (unlooked_ < std::min<std::uint64_t>(kLookEvery, options_.memory)) return Fate::kTaken;
  std::uint64_t memory = 0;
  Transaction* largest = nullptr;
  for (auto& [xid, transaction] : open_) {
    memory += transaction.spool.memory();
    if (largest == nullptr || transaction.spool.memory() > largest->spool.memory()) largest = &transaction;
  }
  if (memory < options_.memory) {
    unlooked_ = 0;
    return Fate::kTaken;
  }
  if (options_.size_limit > 0 && size() > options_.size_limit) {
    return Status(StatusCode::kUnavailable,
                  fmt::format("transactions that are not committed have more than {} bytes (spool.size_limit)",
                              options_.size_limit))
        .with_kind(FaultKind::kOutput);
  }
  const Status spilled = largest->spool.spill();
  obstacle_ = spilled.message();
  if (spilled.is_ok()) unlooked_ = 0;
  return spilled.is_ok() ? Fate::kTaken : Fate::kBlocked;
}

std::uint64_t StreamedTransactions::size() const {
  std::uint64_t size = 0;
  for (const auto& [xid, transaction] : open_) size += transaction.spool.size();
  return size;
}

// Behind the transaction's ID it is what Commit says; Begin says a part of that.
Status StreamedTransactions::commit(std::string_view frame) {
  ByteReader reader(frame.substr(kHead));
  const std::uint32_t xid = reader.u32();
  reader.u8();
  const std::string_view commit_lsn = reader.bytes(8);
  reader.u64();
  const std::string_view commit_time = reader.bytes(8);
  if (reader.failed()) return malformed('c', "it is cut");
  const auto found = open_.find(xid);
  if (found == open_.end()) return malformed('c', fmt::format("nothing of transaction {} has come", xid));
  logger_.debug("transaction {} has committed; {} bytes of it were spooled", xid, found->second.spool.size());
  Walk& walk = walking_.emplace(Walk{std::move(found->second), {}, {}});
  open_.erase(found);
  const std::string_view header = frame.substr(0, kHead - 1);
  walk.begin.append(header).append("B").append(commit_lsn).append(commit_time);
  append_u32(walk.begin, xid);
  walk.commit.append(header).append("C").append(frame.substr(kHead + kXid));
  return Status::ok();
}

// Of transactions that did not come there is nothing to forget.
Status StreamedTransactions::abort(std::string_view message) {
  ByteReader reader(message);
  const std::uint32_t xid = reader.u32();
  const std::uint32_t subtransaction = reader.u32();
  if (reader.failed()) return malformed('A', "it is cut");
  const auto found = open_.find(xid);
  if (found == open_.end()) return Status::ok();
  if (xid != subtransaction) return roll_back(found->second, subtransaction);
  open_.erase(found);
  return Status::ok();
}

// All that came since the subtransaction began belongs to it. But the server does not describe a relation again for
// being described there.
Status StreamedTransactions::roll_back(Transaction& transaction, std::uint32_t subtransaction) {
  auto& subtransactions = transaction.subtransactions;
  const auto rolled_back = std::find_if(subtransactions.rbegin(), subtransactions.rend(),
                                        [&](const auto& one) { return one.first == subtransaction; });
  if (rolled_back == subtransactions.rend()) return Status::ok();
  const std::uint64_t begin = rolled_back->second;
  subtransactions.erase(std::prev(rolled_back.base()), subtransactions.end());
  transaction.recent.fill(0);
  auto& descriptions = transaction.descriptions;
  const auto first = std::lower_bound(descriptions.begin(), descriptions.end(), begin);
  std::vector<std::string> kept;
  for (auto at = first; at != descriptions.end(); ++at) {
    auto frame = transaction.spool.frame_at(*at);
    if (!frame.is_ok()) return frame.status();
    kept.push_back(std::move(*frame));
  }
  descriptions.erase(first, descriptions.end());
  if (Status cut = transaction.spool.truncate(begin); !cut.is_ok()) return cut;
  for (const std::string& frame : kept) {
    descriptions.push_back(transaction.spool.size());
    transaction.spool.append(frame, {});
  }
  return Status::ok();
}

Result<std::optional<std::string_view>> StreamedTransactions::next() {
  if (!walking_) return std::optional<std::string_view>();
  switch (walking_->step) {
    case Walk::Step::kBegin:
      walking_->step = Walk::Step::kInside;
      return std::optional<std::string_view>(walking_->begin);
    case Walk::Step::kInside: {
      auto frame = walking_->transaction.spool.next();
      if (!frame.is_ok() || *frame) return frame;
      walking_->step = Walk::Step::kCommit;
      return std::optional<std::string_view>(walking_->commit);
    }
    case Walk::Step::kCommit: break;
  }
  walking_.reset();
  return std::optional<std::string_view>();
}

void StreamedTransactions::clear() {
  open_.clear();
  in_block_ = false;
  walking_.reset();
}

}  // namespace walcat
