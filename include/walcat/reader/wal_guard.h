#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/lsn.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/options.h"

namespace walcat {

/// Judges how much log a slot retains and how far the output is behind, look by look, and says what is new about it.
///
/// Each size of `warn_at` is worth one warning when it is passed, and another only after less than four fifths of it
/// were retained. The limit of the server (max_slot_wal_keep_size) is worth a warning when a quarter of it is left, and
/// an error when it is passed. The lag is told when it is notable (16 MiB and not just born), has doubled or halved,
/// now and then while it lasts, and when it is over. A log that ends before what is written is worth a warning at the
/// second look in a row. Threads: one thread at a time.
class WalGuard {
 public:
  using Clock = std::chrono::steady_clock;
  /// A line for the log.
  struct Remark {
    log::Level level;
    std::string text;

    bool operator==(const Remark&) const = default;
  };

  explicit WalGuard(const WalGuardOptions& options);

  /// What is new. `written`: how far the output had come before the server was asked; `now` never goes back.
  std::vector<Remark> look(const SlotUsage& usage, Lsn written, Clock::time_point now);

 private:
  enum class Danger { kNone, kNear, kPassed };

  void judge_retention(std::uint64_t retained);
  void judge_limit(const SlotUsage& usage);
  void judge_end(Lsn current, Lsn written);
  void judge_lag(Lsn current, Lsn written, Clock::time_point now);
  std::chrono::seconds age_of_lag(Lsn current, Lsn written, Clock::time_point now);

  /// In ascending order.
  std::vector<std::uint64_t> sizes_;
  /// How many of the sizes are passed.
  std::size_t passed_ = 0;
  Danger danger_ = Danger::kNone;
  /// Bytes of lag that were told last; 0 if it is not notable.
  std::uint64_t lag_told_ = 0;
  int looks_since_told_ = 0;
  /// At how many looks in a row the server's log has ended before what was written.
  int looks_at_short_log_ = 0;
  /// Where the server stood when, from the first position that the output has not come to.
  std::vector<std::pair<Lsn, Clock::time_point>> stood_;
  std::vector<Remark> remarks_;
};

}  // namespace walcat
