#include "streamed_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "walcat/base/byte_reader.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

constexpr std::size_t kXid = 4;
// What a transaction consists of.
constexpr std::string_view kMessagesOfBlocks = "IUDTRYOM";

Status malformed(char kind, const std::string& what) {
  return Status(StatusCode::kProtocolError, fmt::format("message '{}' of a streamed transaction: {}", kind, what))
      .with_kind(FaultKind::kProtocol);
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
  subtransactions.emplace_back(met, kept.spool.size());
}

Status StreamedTransactions::take(std::string_view frame) {
  const char kind = message_kind(frame);
  if (!in_block_) return start_block(message_body(frame));
  if (kind == 'E') {
    in_block_ = false;
    return Status::ok();
  }
  if (kMessagesOfBlocks.find(kind) == std::string_view::npos) return malformed(kind, "it comes inside of a block");
  return spool(frame);
}

Status StreamedTransactions::start_block(std::string_view message) {
  ByteReader reader(message);
  const std::uint32_t xid = reader.u32();
  const bool is_first = reader.u8() == 1;
  if (reader.failed()) return malformed('S', "it is cut");
  if (is_first) open_.erase(xid);
  if (!is_first && open_.count(xid) == 0) return malformed('S', fmt::format("transaction {} has no first block", xid));
  if (is_first && open_.size() == kOpenTransactionsMost) {
    return malformed('S', "more transactions are open than a server has sessions");
  }
  open_.try_emplace(xid, Transaction{xid, {TransactionSpool(directory_), {}}, {}, {}, 0});
  in_block_ = true;
  block_xid_ = xid;
  return Status::ok();
}

// Every message but the origin's has the ID of its transaction, or subtransaction, behind its kind.
Status StreamedTransactions::spool(std::string_view frame) {
  Transaction& transaction = open_.at(block_xid_);
  const char kind = message_kind(frame);
  if (kind == 'O') {
    transaction.kept.spool.append(frame, {});
    return Status::ok();
  }
  ByteReader reader(message_body(frame));
  const std::uint32_t xid = reader.u32();
  if (reader.failed()) return malformed(kind, "it is cut");
  transaction.meet(xid);
  if (kind == 'R' || kind == 'Y') transaction.kept.descriptions.push_back(transaction.kept.spool.size());
  transaction.kept.spool.append(frame.substr(0, kXLogDataHeader + 1), message_body(frame).substr(kXid));
  return Status::ok();
}

Result<StreamedTransactions::Kept> StreamedTransactions::release(std::uint32_t xid, char kind) {
  const auto found = open_.find(xid);
  if (found == open_.end()) return malformed(kind, fmt::format("nothing of transaction {} has come", xid));
  Kept kept = std::move(found->second.kept);
  open_.erase(found);
  return kept;
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
  auto& descriptions = transaction.kept.descriptions;
  const auto first = std::lower_bound(descriptions.begin(), descriptions.end(), begin);
  std::vector<std::string> kept;
  for (auto at = first; at != descriptions.end(); ++at) {
    auto frame = transaction.kept.spool.frame_at(*at);
    if (!frame.is_ok()) return frame.status();
    kept.push_back(std::move(*frame));
  }
  descriptions.erase(first, descriptions.end());
  if (Status cut = transaction.kept.spool.truncate(begin); !cut.is_ok()) return cut;
  for (const std::string& frame : kept) {
    descriptions.push_back(transaction.kept.spool.size());
    transaction.kept.spool.append(frame, {});
  }
  return Status::ok();
}

void StreamedTransactions::clear() {
  open_.clear();
  in_block_ = false;
}

}  // namespace walcat
