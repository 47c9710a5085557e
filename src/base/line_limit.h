#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace walcat::log {

/// Bounds how many lines of one kind are logged, because others can repeat what a line is about without end: whoever
/// makes tables in a database that is followed whole, or ends our sessions.
///
/// A kind is a database, and the level and text of a line before its values are put in. In the minute that begins with
/// the first of them, kLinesMost lines of a kind are written; later ones are counted, and one line tells of them
/// afterwards. Threads: one at a time.
class LineLimit {
 public:
  using Clock = std::chrono::steady_clock;

  static constexpr std::chrono::minutes kInterval{1};
  static constexpr std::uint64_t kLinesMost = 100;

  /// Lines of a kind that were not written, and what the last of them said.
  struct LeftOut {
    std::string database;
    std::uint64_t count = 0;
    std::string last;
  };

  /// Whether a line is to be written `now`; if not, it is counted.
  bool admits(std::string_view database, std::string_view kind, std::string_view message, Clock::time_point now);

  /// What was left out of one kind and has not been told: in a minute that is over `now`, or (nullopt) in any.
  std::optional<LeftOut> take_left_out(std::optional<Clock::time_point> now);

 private:
  struct Kind {
    Clock::time_point began;
    std::uint64_t written = 0;
    std::uint64_t left_out = 0;
    std::string last;
  };

  std::map<std::pair<std::string, std::string>, Kind> kinds_;
  /// Kinds of which something was left out.
  std::size_t untold_ = 0;
};

}  // namespace walcat::log
