#include "unfinished_transactions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/base/descriptor_limit.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

constexpr std::size_t kXid = 4;
constexpr std::uint64_t kLookEvery = 64 << 10;

Status cut(char kind) {
  return Status(StatusCode::kProtocolError, fmt::format("message '{}' of a transaction: it is cut", kind))
      .with_kind(FaultKind::kProtocol);
}

Status misplaced(char kind) {
  return Status(StatusCode::kProtocolError, fmt::format("message '{}' comes inside of a transaction", kind))
      .with_kind(FaultKind::kProtocol);
}

void append_u32(std::string& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift & 0xFF);
}

}  // namespace

void UnfinishedTransactions::begin_session(const Session& session) {
  clear();
  session_ = session;
}

Result<UnfinishedTransactions::Fate> UnfinishedTransactions::take(std::string_view frame, bool in_transaction) {
  const char kind = message_kind(frame);
  if (kind == '\0') return Fate::kPassed;
  const auto taken = [](const Status& status) { return status.is_ok() ? Result<Fate>(Fate::kTaken) : status; };
  if (in_block()) {
    const auto room = make_room();
    if (!room.is_ok() || *room != Fate::kTaken) return room;
    unlooked_ += frame.size();
    auto fate = taken(streamed_.in_block() ? streamed_.take(frame) : prepared_.take(frame));
    // A large frame does not stay in memory until the next one comes. What stops the disk is said when that comes.
    if (frame.size() >= kLookEvery) static_cast<void>(make_room());
    return fate;
  }
  switch (kind) {
    case 'S':
    case 'A':
    case 'c':
    case 'b':
    case 'p':
    case 'P':
    case 'K':
    case 'r':
      // What came behind it would be spooled, the rest of the transaction too.
      if (in_transaction) return misplaced(kind);
      return taken(take_border(kind, frame));
    default: return pass(frame);
  }
}

Status UnfinishedTransactions::take_border(char kind, std::string_view frame) {
  switch (kind) {
    case 'S': return streamed_.take(frame);
    case 'A': return streamed_.abort(message_body(frame));
    case 'c': return commit_streamed(frame);
    case 'b': return prepared_.take(frame);
    case 'p': return prepare_streamed(frame);
    case 'P': return prepared_.adopt(kind, message_body(frame), TransactionSpool(options_.directory));
    case 'K': return commit_prepared(frame);
    default: return prepared_.roll_back(message_body(frame));
  }
}

// A relation may have been described in a transaction that is prepared still.
Result<UnfinishedTransactions::Fate> UnfinishedTransactions::pass(std::string_view frame) {
  if (!session_.two_phase) return Fate::kPassed;
  descriptions_.pass(frame);
  auto missing = descriptions_.take_missing(frame);
  if (missing.empty()) return Fate::kPassed;
  missing.emplace_back(frame);
  walking_.emplace(Walk{}).before = std::move(missing);
  return Fate::kTaken;
}

// Behind the transaction's ID it is what Commit says.
Status UnfinishedTransactions::commit_streamed(std::string_view frame) {
  ByteReader reader(message_body(frame));
  const std::uint32_t xid = reader.u32();
  reader.bytes(25);
  if (reader.failed()) return cut('c');
  auto kept = streamed_.release(xid, 'c');
  if (!kept.is_ok()) return kept.status();
  logger_.debug("transaction {} has committed; {} bytes of it were spooled", xid, kept->spool.size());
  walk(From::kBlocks, std::move(kept->spool), frame, xid, message_body(frame).substr(kXid));
  return Status::ok();
}

// Its transaction's ID stands at the end. The server counts as described what blocks have described.
Status UnfinishedTransactions::prepare_streamed(std::string_view frame) {
  ByteReader reader(message_body(frame));
  reader.bytes(25);
  const std::uint32_t xid = reader.u32();
  if (reader.failed()) return cut('p');
  auto kept = streamed_.release(xid, 'p');
  if (!kept.is_ok()) return kept.status();
  for (const std::uint64_t at : kept->descriptions) {
    const auto description = kept->spool.frame_at(at);
    if (!description.is_ok()) return description.status();
    descriptions_.keep(*description);
  }
  return prepared_.adopt('p', message_body(frame), std::move(kept->spool));
}

// It begins with what Commit says.
Status UnfinishedTransactions::commit_prepared(std::string_view frame) {
  ByteReader reader(message_body(frame));
  reader.u8();
  const Lsn commit_lsn{reader.u64()};
  const Lsn end{reader.u64()};
  reader.u64();
  const std::string_view commit = message_body(frame).substr(0, reader.offset());
  const std::uint32_t xid = reader.u32();
  const std::string_view gid = reader.cstring();
  if (reader.failed()) return cut('K');
  if (auto spool = prepared_.commit(xid, end)) {
    logger_.debug("prepared transaction {} has committed; {} bytes of it were spooled", xid, spool->size());
    walk(From::kPrepared, std::move(*spool), frame, xid, commit);
    return Status::ok();
  }
  // Prepared before the slot's position, which was let go because its lines were safe.
  if (end <= session_.done) return Status::ok();
  if (session_.has_lone_commits) {
    logger_.warning(
        "prepared transaction '{}', committed at {}, was not sent: it has changed nothing that is decoded, or the slot "
        "was moved beyond its PREPARE",
        gid, commit_lsn.to_string());
    return Status::ok();
  }
  const std::string lost = fmt::format(
      "prepared transaction '{}', committed at {}, was not sent: the slot stands beyond its PREPARE, and what was "
      "written only goes up to {}",
      gid, commit_lsn.to_string(), session_.done.to_string());
  if (!session_.passes_gaps) return Status(StatusCode::kGap, lost).with_kind(FaultKind::kSlot);
  logger_.warning("{}; going on without it (on_gap: continue)", lost);
  return Status::ok();
}

// Begin says a part of what Commit does.
void UnfinishedTransactions::walk(From from, TransactionSpool spool, std::string_view frame, std::uint32_t xid,
                                  std::string_view commit) {
  Walk& walk = walking_.emplace(Walk{});
  walk.from = from;
  const std::string_view header = frame.substr(0, kXLogDataHeader);
  std::string begin(header);
  begin.append("B").append(commit.substr(1, 8)).append(commit.substr(17, 8));
  append_u32(begin, xid);
  walk.before.push_back(std::move(begin));
  walk.spool.emplace(std::move(spool));
  walk.after.append(header).append("C").append(commit);
}

Result<std::optional<std::string_view>> UnfinishedTransactions::next() {
  if (!walking_) return std::optional<std::string_view>();
  Walk& walk = *walking_;
  if (walk.next < walk.before.size()) return std::optional<std::string_view>(walk.before[walk.next++]);
  if (walk.spool && !walk.is_over) {
    auto frame = walk.spool->next();
    if (frame.is_ok() && *frame) note_handed_out(**frame);
    if (!frame.is_ok() || *frame) return frame;
    walk.is_over = true;
    return std::optional<std::string_view>(walk.after);
  }
  walking_.reset();
  return std::optional<std::string_view>();
}

void UnfinishedTransactions::note_handed_out(std::string_view frame) {
  if (!session_.two_phase) return;
  if (walking_->from == From::kBlocks) descriptions_.pass(frame);
  if (walking_->from == From::kPrepared) descriptions_.replay(frame);
}

// Looked at now and then. The largest goes to disk first: its memory is what helps most.
Result<UnfinishedTransactions::Fate> UnfinishedTransactions::make_room() {
  if (unlooked_ < std::min<std::uint64_t>(kLookEvery, options_.memory)) return Fate::kTaken;
  std::uint64_t memory = 0;
  std::uint64_t size = 0;
  std::size_t transactions = 0;
  std::size_t files = 0;
  TransactionSpool* largest = nullptr;
  for_each_spool([&](TransactionSpool& spool) {
    memory += spool.memory();
    size += spool.size();
    ++transactions;
    files += spool.has_file() ? 1 : 0;
    if (largest == nullptr || spool.memory() > largest->memory()) largest = &spool;
  });
  if (memory < options_.memory) {
    unlooked_ = 0;
    return Fate::kTaken;
  }
  if (options_.size_limit > 0 && size > options_.size_limit) {
    return beyond(fmt::format("have more than {} bytes (spool.size_limit)", options_.size_limit), "raise it");
  }
  if (!largest->has_file() && files >= options_.files_most) {
    return beyond(fmt::format("need more than {} files: {} are open ({})", options_.files_most, transactions,
                              descriptor_limit_text()),
                  "raise that limit (systemd: LimitNOFILE=), spool.memory, or the server's logical_decoding_work_mem");
  }
  const Status spilled = largest->spill();
  obstacle_ = spilled.message();
  if (spilled.is_ok()) unlooked_ = 0;
  return spilled.is_ok() ? Fate::kTaken : Fate::kBlocked;
}

// What runs the server can keep itself, and is asked to; what is prepared it has handed over.
Status UnfinishedTransactions::beyond(std::string_view limit, std::string_view hint) const {
  const bool can_be_left = !streamed_.is_empty();
  std::string text =
      fmt::format("transactions that are {} {}; hint: {}", can_be_left ? "not committed" : "prepared", limit, hint);
  if (!can_be_left) text += ", or commit or roll back what pg_prepared_xacts shows";
  return Status(can_be_left ? StatusCode::kUnavailable : StatusCode::kRefused, text).with_kind(FaultKind::kOutput);
}

void UnfinishedTransactions::clear() {
  streamed_.clear();
  prepared_.clear();
  descriptions_.clear();
  walking_.reset();
}

}  // namespace walcat
