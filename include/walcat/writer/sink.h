#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <memory>
#include <span>

#include "walcat/base/status.h"
#include "walcat/metrics/error_counters.h"
#include "walcat/writer/options.h"

namespace walcat {

/// Where bytes end up.
class Sink {
 public:
  virtual ~Sink() = default;

  /// Hands over all bytes of `parts`, in order, and counts in `accepted` those that the system took.
  ///
  /// Threads: stage-bound (writer). May block for as long as the reader at the other end does not read, or a disk is
  ///     full.
  /// Errors: kOutputFailed if the other end takes no more, kStopped after interrupt(); `accepted` is right either way.
  virtual Status write(std::span<const iovec> parts, std::size_t& accepted) = 0;

  /// Makes what was accepted survive a crash of the machine, where the output can (files).
  ///
  /// Threads: thread-safe.
  /// Errors: kOutputFailed; from then on nothing more is taken, for it may be that what was accepted is lost.
  virtual Status sync() = 0;

  /// Whether something was accepted that no sync() has made durable yet. Never so where the output can't.
  ///
  /// Threads: thread-safe.
  virtual bool has_unsynced() const { return false; }

  /// Ends a write that blocks, and every later one, with kStopped; and of a sync() that copies what is left to copy.
  ///
  /// Threads: thread-safe.
  virtual void interrupt() = 0;

  /// A descriptor that poll(2) reports as POLLERR or POLLHUP once nobody reads; -1 if that cannot happen.
  virtual int watch_fd() const = 0;

  /// What went wrong, whether or not it was survived.
  ErrorCounters errors;
};

/// Opens the sink that `options` name: a file to append to, whose torn last line is cut off first, or stdout.
///
/// Errors: kOutputFailed with the path and the system's reason.
Result<std::unique_ptr<Sink>> open_sink(const WriterOptions& options);

}  // namespace walcat
