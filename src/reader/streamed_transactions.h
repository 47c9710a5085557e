#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "transaction_spool.h"
#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/reader/options.h"

namespace walcat {

/// Transactions that the server sends before they have ended, in blocks (pgoutput's protocol 2, streaming 'on').
///
/// Blocks are spooled. At its commit a transaction is handed out as it would have come without streaming: Begin, the
/// messages without the transaction IDs that blocks add to them, Commit. What was rolled back is never seen.
///
/// Threads: stage-bound (reader).
/// Source: PostgreSQL manual, protocol-logicalrep-message-formats and protocol-logical-replication.
class StreamedTransactions {
 public:
  enum class Fate {
    kPassed,   ///< The frame belongs to no block: it is the caller's.
    kTaken,    ///< It was spooled, or spoke of what was.
    kBlocked,  ///< The spool takes no more for now: offer the same frame again later.
  };

  StreamedTransactions(const SpoolOptions& options, const log::Logger& logger) : options_(options), logger_(logger) {}

  /// Offers a frame as it came from the server. Not while a transaction is handed out.
  ///
  /// Errors: kProtocolError on blocks that make no sense; kUnavailable if the spools hold more than
  ///     SpoolOptions::size_limit. The session is of no more use then.
  Result<Fate> take(std::string_view frame);

  /// The next frame of the transaction that has committed; nothing if all was handed out. It lives until the next call.
  Result<std::optional<std::string_view>> next();

  /// Whether frames that come now belong to a transaction that has not ended.
  bool in_block() const { return in_block_; }
  /// Whether a transaction is being handed out.
  bool is_walking() const { return walking_.has_value(); }
  /// Why the spool takes no more.
  const std::string& obstacle() const { return obstacle_; }

  /// The session is over: the server sends what is not committed again.
  void clear();

 private:
  struct Transaction {
    /// Notes where a subtransaction begins, when its first message comes.
    void meet(std::uint32_t xid);

    std::uint32_t xid = 0;
    TransactionSpool spool;
    /// Where each of its subtransactions begins, in their order.
    std::vector<std::pair<std::uint32_t, std::uint64_t>> subtransactions;
    /// Those that messages came of last, and how far above `xid` the highest of all is: a higher one is new.
    std::array<std::uint32_t, 4> recent{};
    std::uint32_t highest = 0;
    /// Where messages stand that describe relations and types.
    std::vector<std::uint64_t> descriptions;
  };
  struct Walk {
    Transaction transaction;
    std::string begin;
    std::string commit;
    enum class Step { kBegin, kInside, kCommit } step = Step::kBegin;
  };

  Status start_block(std::string_view message);
  Result<Fate> spool(std::string_view frame);
  Status commit(std::string_view frame);
  Status abort(std::string_view message);
  Status roll_back(Transaction& transaction, std::uint32_t subtransaction);
  Result<Fate> make_room();
  std::uint64_t size() const;

  const SpoolOptions options_;
  const log::Logger logger_;
  std::map<std::uint32_t, Transaction> open_;
  bool in_block_ = false;
  std::uint32_t block_xid_ = 0;
  std::optional<Walk> walking_;
  std::string obstacle_;
  /// Bytes spooled since the spools' sizes were looked at.
  std::uint64_t unlooked_ = 0;
};

}  // namespace walcat
