#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/decoder/snapshot_window.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/reader/incremental_reader.h"

namespace walcat {

/// Counts what has been read of the incremental snapshot in hand, and tells whoever asked for it and the log.
///
/// Threads: stage-bound (incremental snapshot worker).
class IncrementalTally {
 public:
  using Clock = std::chrono::steady_clock;

  /// Borrows `reader`.
  IncrementalTally(IncrementalReader& reader, const log::Logger& logger) : reader_(reader), logger_(logger) {}

  /// Begins anew.
  void begin();
  /// Rows of `part` are to come.
  void expect(const KeyedPart& part);
  /// In words.
  std::string expected_rows() const;
  /// A table can't be read; the others are. Of many, some have a line each.
  void pass_over(const Status& why);
  /// kRefused with the tables that were passed over, if there were any.
  Status outcome() const;

  void count(const SnapshotWindow::Verdict& verdict);
  /// When the next chunk may be read if no more than `rows_per_second` are to come. What was not read in time is not
  /// made up for.
  Clock::time_point next_chunk(std::uint64_t rows_per_second);
  /// Tells how far `snapshot` has come, now and then.
  void report(const IncrementalSnapshot& snapshot);

  /// Rows.
  std::uint64_t printed() const { return run_.printed; }
  /// In words.
  std::string sum() const;

 private:
  double seconds() const;

  struct Run {
    Clock::time_point began;
    Clock::time_point next_log;
    Clock::time_point next_news;
    std::uint64_t printed = 0;
    std::uint64_t left_out = 0;
    std::uint64_t read = 0;
    /// When the next chunk may be read, by the rate.
    Clock::time_point next_chunk;
    std::uint64_t read_before = 0;
    /// Negative if the planner knows nothing of some table.
    double expected = 0;
    /// Tables that were passed over.
    std::vector<std::string> gone;
  };

  IncrementalReader& reader_;
  const log::Logger logger_;
  Run run_;
};

}  // namespace walcat
