#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>

#include "walcat/base/status.h"
#include "walcat/model/large_rows.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Where a connection's rows wait that are larger than a batch: before they are read, and before they are kept.
///
/// A row is noticed by looks at a socket that has something and which bring no row whole. What ordinary rows pass is a
/// flag. A server that sends a large row slowly may not keep the others waiting for ever: it loses its connection, and
/// with it its turn, and has twice as long the next time.
/// Threads: stage-bound.
class RowGate {
 public:
  using Clock = LargeRows::Clock;

  /// See LargeRows::Claim.
  RowGate(std::shared_ptr<LargeRows> rows, std::function<void()> wake);

  /// Before a look: whether what the socket has may be taken. If not, the gate is closed, and may be tried again.
  bool may_look(const Connection& connection) { return !is_unfinished_ || may_go_on(connection); }
  /// After a look: whether it brought anything whole, and whether the socket was known to have something.
  void looked(bool is_whole, bool was_readable) {
    if (is_whole) {
      is_unfinished_ = false;
      arrived_ = 0;
    } else if (was_readable) {
      is_unfinished_ = true;
    }
  }
  /// Whether a row of `bytes`, which is here, may be kept. If not, the gate is closed.
  bool may_take(std::size_t bytes);
  /// It is kept, in the batch that the hold is put into; see LargeRows::Claim::take().
  LargeRows::Hold take(std::size_t bytes, bool is_parked = false);
  /// It was here, but is not kept in a batch.
  void pass(std::size_t bytes);
  /// Nothing is asked for any more, or not now; of a row there are `bytes`.
  void leave(std::size_t bytes = 0) {
    if (claim_.is_in_line()) claim_.pass(is_unfinished_ && arrived_ > bytes ? arrived_ : bytes);
  }
  /// Whether a row has begun and is not here whole, as far as is known.
  bool is_unfinished() const { return is_unfinished_; }
  /// Whether the last one that asked was told to wait.
  bool is_closed() const { return is_closed_; }
  /// Nobody read meanwhile: what a row took until now says nothing of its server.
  void rest() { reading_since_ = Clock::now(); }
  /// Errors: kUnavailable, where others have waited too long for a row that arrives here.
  Status check_patience();

  /// Whether the connection, if it is not needed now, had better end: libpq keeps its room for large rows until then.
  bool is_to_shrink() const { return claim_.room() > 0 && claim_.rows()->keeps_too_much(); }
  /// The connection has ended.
  void release();

  LargeRows::Claim& claim() { return claim_; }
  const LargeRows::Claim& claim() const { return claim_; }

 private:
  bool may_go_on(const Connection& connection);

  LargeRows::Claim claim_;
  bool is_unfinished_ = false;
  bool is_closed_ = false;
  /// Bytes of the row that is unfinished, about.
  std::size_t arrived_ = 0;
  Clock::time_point reading_since_;
  int doublings_ = 0;
};

}  // namespace walcat
