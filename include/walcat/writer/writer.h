#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/writer/sink.h"

namespace walcat {

/// Writes the lines of batches to a sink and counts which changes the sink has accepted.
class Writer {
 public:
  /// `max_changes`: changes after which no more lines are written; without it, never.
  Writer(Sink& sink, std::optional<std::uint64_t> max_changes) : sink_(sink), changes_left_(max_changes) {}

  /// Writes the lines of all `batches`, in order, in as few system calls as the sink allows.
  ///
  /// Moves each batch's `changes_written` past the changes whose lines were accepted whole, and empties its lines.
  /// Threads: stage-bound (writer).
  /// Errors: kOutputFailed and kStopped from the sink; kStopped once `max_changes` are written. Then the first bytes of
  ///     a further line may have gone out, and nothing more may be written.
  Status write(std::span<Batch* const> batches);

  /// Bytes that the sink has accepted.
  std::uint64_t bytes_written() const { return bytes_written_; }

  bool max_changes_reached() const { return changes_left_ == std::uint64_t{0}; }

 private:
  std::size_t changes_wanted(const Batch& batch);

  Sink& sink_;
  std::optional<std::uint64_t> changes_left_;
  std::uint64_t bytes_written_ = 0;
  std::vector<iovec> parts_;
};

}  // namespace walcat
