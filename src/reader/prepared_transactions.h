#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "relation_descriptions.h"
#include "transaction_spool.h"
#include "walcat/base/lsn.h"
#include "walcat/base/status.h"

namespace walcat {

/// Transactions that are prepared for two-phase commit, from PREPARE TRANSACTION to COMMIT PREPARED or ROLLBACK
/// PREPARED (pgoutput's protocol 3, two_phase 'on').
///
/// The server sends what such a transaction did once, when it decodes the PREPARE: so nothing beyond that may be
/// confirmed until the transaction's lines are safe.
///
/// Threads: stage-bound (reader).
/// Source: PostgreSQL manual, protocol-logicalrep-message-formats and logicaldecoding-two-phase-commits.
class PreparedTransactions {
 public:
  /// `directory`: where files are made. `descriptions` is borrowed.
  PreparedTransactions(std::string directory, RelationDescriptions& descriptions)
      : directory_(std::move(directory)), descriptions_(descriptions) {}

  /// Takes a Begin Prepare or, while in_block(), any XLogData up to Prepare.
  ///
  /// Errors: kProtocolError on messages that make no sense. The session is of no more use then.
  Status take(std::string_view frame);
  /// Takes what Stream Prepare says of a transaction that came in blocks, or Prepare of one that has changed nothing
  /// and did not begin, from behind `kind` on.
  Status adopt(char kind, std::string_view message, TransactionSpool spool);
  /// Takes Rollback Prepared, from behind its kind on.
  Status roll_back(std::string_view message);

  /// Whether frames that come now belong to a transaction that is about to be prepared.
  bool in_block() const { return open_.has_value(); }

  /// The spool of a transaction whose commit ends at `end`, which is then no longer here; nothing if it was not sent.
  std::optional<TransactionSpool> commit(std::uint32_t xid, Lsn end);

  /// Nothing beyond this may be confirmed while `stored` is what the offset file holds; zero if there is no such
  /// border.
  Lsn border(Lsn stored);

  /// Calls `visit` with each spool.
  template <typename Visitor>
  void for_each_spool(Visitor visit) {
    if (open_) visit(open_->second.spool);
    for (auto& [xid, transaction] : prepared_) visit(transaction.spool);
  }

  void clear();

 private:
  struct Transaction {
    Lsn prepare_lsn;
    TransactionSpool spool;
    /// Relations whose descriptions it carries, and the one that came last.
    std::set<std::uint32_t> described;
    std::uint32_t last = 0;
  };
  struct Committed {
    Lsn prepare_lsn;
    Lsn end;
  };

  void keep(std::uint32_t xid, Transaction transaction);
  void forget(std::uint32_t xid);
  Status begin(std::string_view message);
  Status spool(std::string_view frame);
  Status prepare(std::string_view message);
  void describe(std::string_view frame);

  const std::string directory_;
  RelationDescriptions& descriptions_;
  /// The one that comes now, by its transaction ID.
  std::optional<std::pair<std::uint32_t, Transaction>> open_;
  std::map<std::uint32_t, Transaction> prepared_;
  /// Committed, and perhaps not stored yet, in the order of commits.
  std::deque<Committed> committed_;
  /// Where all of these were prepared.
  std::multiset<Lsn> borders_;
};

}  // namespace walcat
