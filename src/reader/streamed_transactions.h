#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "transaction_spool.h"
#include "walcat/base/status.h"

namespace walcat {

/// Transactions that the server sends in blocks while they run (pgoutput's protocol 2, streaming 'on').
///
/// They are spooled without the transaction IDs that blocks add to their messages. Of what was rolled back only
/// descriptions of relations are kept.
///
/// Threads: stage-bound (reader).
/// Source: PostgreSQL manual, protocol-logicalrep-message-formats and protocol-logical-replication.
class StreamedTransactions {
 public:
  /// `directory`: where files are made.
  explicit StreamedTransactions(std::string directory) : directory_(std::move(directory)) {}

  /// Takes a frame that begins a block or, while in_block(), any XLogData.
  ///
  /// Errors: kProtocolError on blocks that make no sense. The session is of no more use then.
  Status take(std::string_view frame);
  /// Takes what Stream Abort says, from behind its kind on.
  Status abort(std::string_view message);

  /// Whether frames that come now belong to a transaction that runs.
  bool in_block() const { return in_block_; }

  /// What was kept of a transaction.
  struct Kept {
    TransactionSpool spool;
    /// Where messages stand in it that describe relations and types.
    std::vector<std::uint64_t> descriptions;
  };

  /// Gives away a transaction that has ended.
  ///
  /// Errors: kProtocolError if nothing of it has come. `kind` is the message that says so.
  Result<Kept> release(std::uint32_t xid, char kind);

  /// Calls `visit` with each spool.
  template <typename Visitor>
  void for_each_spool(Visitor visit) {
    for (auto& [xid, transaction] : open_) visit(transaction.kept.spool);
  }
  bool is_empty() const { return open_.empty(); }

  void clear();

 private:
  struct Transaction {
    /// Notes where a subtransaction begins, when its first message comes.
    void meet(std::uint32_t xid);

    std::uint32_t xid = 0;
    Kept kept;
    /// Where each of its subtransactions begins, in their order.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> subtransactions;
    /// Those that messages came of last, and how far above `xid` the highest of all is: a higher one is new.
    std::array<std::uint32_t, 4> recent{};
    std::uint32_t highest = 0;
  };

  Status start_block(std::string_view message);
  Status spool(std::string_view frame);
  Status roll_back(Transaction& transaction, std::uint32_t subtransaction);

  const std::string directory_;
  std::map<std::uint32_t, Transaction> open_;
  bool in_block_ = false;
  std::uint32_t block_xid_ = 0;
};

}  // namespace walcat
