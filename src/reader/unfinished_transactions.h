#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "prepared_transactions.h"
#include "relation_descriptions.h"
#include "streamed_transactions.h"
#include "transaction_spool.h"
#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/reader/options.h"

namespace walcat {

/// Transactions that the server sends before they have committed: in blocks while they run, or when they are prepared.
///
/// They are spooled. At its commit a transaction is handed out as it would have come then: Begin, its messages, Commit.
/// What was rolled back is never seen.
///
/// Threads: stage-bound (reader).
class UnfinishedTransactions {
 public:
  enum class Fate {
    kPassed,   ///< The frame belongs to no such transaction: it is the caller's.
    kTaken,    ///< It was spooled, or spoke of what was, or waits to be handed out.
    kBlocked,  ///< The spool takes no more for now: offer the same frame again later.
  };

  /// What must be known of a session before its first frame.
  struct Session {
    /// Whether transactions come when they are prepared.
    bool two_phase = false;
    /// All that had committed before this is safe.
    Lsn done;
    /// Whether a commit is passed over where what it commits was not sent; otherwise that is a gap.
    bool passes_gaps = false;
    /// Whether of what has changed nothing, but locked rows, the commit comes though nothing else did.
    bool has_lone_commits = false;
  };

  UnfinishedTransactions(const SpoolOptions& options, const log::Logger& logger)
      : options_(options), logger_(logger), streamed_(options.directory), prepared_(options.directory, descriptions_) {}

  /// A session begins: the server sends what is not committed again.
  void begin_session(const Session& session);

  /// Offers a frame as it came from the server. Not while a transaction is handed out. `in_transaction`: whether one
  /// that comes whole has begun, and has not ended.
  ///
  /// Errors: kProtocolError on messages that make no sense; kUnavailable if the spools hold more than
  ///     SpoolOptions::size_limit or need more files than files_most, kRefused if prepared transactions alone do; kGap
  ///     on the commit of what was not sent. The session is of no more use then.
  Result<Fate> take(std::string_view frame, bool in_transaction = false);

  /// The next frame of what is to be handed out; nothing if all was. It lives until the next call.
  Result<std::optional<std::string_view>> next();

  /// Whether frames that come now belong to a transaction that has not committed.
  bool in_block() const { return streamed_.in_block() || prepared_.in_block(); }
  /// Whether something is being handed out.
  bool is_walking() const { return walking_.has_value(); }
  /// Nothing beyond this may be confirmed while `stored` is what the offset file holds; zero if there is no such
  /// border.
  Lsn border(Lsn stored) { return prepared_.border(stored); }
  /// Whether there are any.
  bool holds_any() {
    bool any = walking_.has_value();
    for_each_spool([&](const auto&) { any = true; });
    return any;
  }
  /// Why the spool takes no more.
  const std::string& obstacle() const { return obstacle_; }

  /// The session is over.
  void clear();

 private:
  enum class From { kServer, kBlocks, kPrepared };
  struct Walk {
    From from = From::kServer;
    std::vector<std::string> before;
    std::optional<TransactionSpool> spool;
    std::string after;
    std::size_t next = 0;
    bool is_over = false;
  };

  Result<Fate> pass(std::string_view frame);
  Status take_border(char kind, std::string_view frame);
  Status commit_streamed(std::string_view frame);
  Status prepare_streamed(std::string_view frame);
  Status commit_prepared(std::string_view frame);
  void walk(From from, TransactionSpool spool, std::string_view frame, std::uint32_t xid, std::string_view commit);
  void note_handed_out(std::string_view frame);
  Result<Fate> make_room();
  Status beyond(std::string_view limit, std::string_view hint) const;

  template <typename Visitor>
  void for_each_spool(Visitor visit) {
    streamed_.for_each_spool(visit);
    prepared_.for_each_spool(visit);
  }

  const SpoolOptions options_;
  const log::Logger logger_;
  Session session_;
  RelationDescriptions descriptions_;
  StreamedTransactions streamed_;
  PreparedTransactions prepared_;
  std::optional<Walk> walking_;
  std::string obstacle_;
  /// Bytes spooled since the spools' sizes were looked at.
  std::uint64_t unlooked_ = 0;
};

}  // namespace walcat
