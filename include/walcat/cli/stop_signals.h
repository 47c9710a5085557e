#pragma once

#include <memory>
#include <optional>

#include "walcat/pipeline/pipeline.h"

namespace walcat {

/// The signals of the process: SIGINT and SIGTERM stop what runs, the second one ends the process, whatever hangs. A
/// stop that has not ended within Pipeline::stop_time_most() ends the process as a second signal does.
///
/// Two threads are made at once, for when they are needed it may be too late to make any. The one takes signals, and
/// after the second one that stops, or when a stop is overdue, it leaves the process when the time is over: it takes no
/// lock, no memory, and writes nothing. The other carries out what signals ask for, and says at the end what hung;
/// should it hang itself, the first one leaves without it.
///
/// To leave so is no worse than a crash: offset files, captures and outputs are written so that a process may end at
/// any moment, and nothing is confirmed to a server that is not stored. Threads: the main thread. Make it before any
/// other thread, so that no thread is ever interrupted by a signal.
class StopSignals {
 public:
  /// Errors: std::system_error if the system refuses threads or descriptors.
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// From now on stops are for `pipeline`, until detach(). Before the first attach() there is nothing to be stopped in
  /// order, and SIGINT or SIGTERM ends the process at once, as if it were not caught.
  void attach(Pipeline& pipeline);
  /// What is attached may go.
  void detach();

  enum class News { kReportAsked, kStopping, kStoppingAtOnce, kStopOverdue };
  /// Readable when there are news.
  int news_fd() const;
  /// The oldest news; what they ask of the pipeline, but for the report, is done.
  std::optional<News> take_news();
  /// "SIGINT" or "SIGTERM", whichever came last.
  const char* signal_name() const;

 private:
  struct Shared;
  /// The threads' as well: they end with the process.
  std::shared_ptr<Shared> shared_;
};

}  // namespace walcat
