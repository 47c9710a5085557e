#pragma once

#include <chrono>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"

namespace walcat {

/// What a read brought.
enum class ReadOutcome {
  kFrames,    ///< The batch holds frames and wants to leave.
  kSnapshot,  ///< A snapshot is to be read first: see ReplicationSource::snapshot().
  kNothing,   ///< Somebody woke us, or the time was over.
  kEnd,       ///< The bound is reached, or the stop came to a commit; the batch may hold frames.
};

/// Where one database's frames come from.
///
/// Threads: stage-bound (reader) throughout.
class Source {
 public:
  virtual ~Source() = default;

  /// Appends frames to `batch` until it is full or there are no more for now; connects first where needed.
  ///
  /// Returns at the latest when the stop request is woken or the source's own timer asks for attention.
  /// Errors: kUnavailable if the connection failed or broke (the next call connects anew, from the last confirmed or
  ///     written position); kRefused and kGap if that is no use. The batch may hold frames in either case.
  virtual Result<ReadOutcome> read(Batch& batch) = 0;

  /// Keeps the connection alive without reading from it, for as long as there is no batch to read into; returns when
  /// the stop request is woken or after a while.
  virtual Status attend() = 0;

  /// `written` has left through the output, `stored` is safe in the offset file: tells the server when it is time.
  virtual void progress(Lsn written, Lsn stored) = 0;

  /// From now on read() ends at the next commit, at once if no transaction is open.
  virtual void finish_at_commit() = 0;
  /// Whether a transaction was read in part.
  virtual bool in_transaction() const = 0;

  /// Confirms the last `stored` position and takes leave of the server.
  virtual void close() = 0;
};

}  // namespace walcat
