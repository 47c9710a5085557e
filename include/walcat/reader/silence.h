#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

namespace walcat {

/// Tells a server that has nothing to say from one that is gone without a word: it is asked, and must answer.
///
/// Half of the limit may pass in silence before the question, and half of it after. A server may be silent because it
/// works: up to version 14, on a large transaction of which nothing is published. So whenever a connection was given up
/// and the next brought no progress, the limit doubles, up to sixteen times what it was.
/// Threads: stage-bound (reader).
class Silence {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A session begins.
  void begin(std::chrono::milliseconds limit, Time now) {
    limit_ = limit;
    heard(now);
  }
  /// Something arrived, or nobody listened until now.
  void heard(Time now) {
    heard_ = now;
    asked_.reset();
  }
  bool is_question_due(Time now) const { return !asked_ && now - heard_ >= half(); }
  void asked(Time now) {
    if (!asked_) asked_ = now;
  }
  bool is_over(Time now) const { return asked_ && now - *asked_ >= half(); }

  /// How long nothing was heard.
  std::chrono::milliseconds lasts(Time now) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now - heard_);
  }
  /// The connection is given up.
  void give_up() { doublings_ = std::min(doublings_ + 1, kMostDoublings); }
  /// The server has come further than ever before.
  void progressed() { doublings_ = 0; }

 private:
  static constexpr int kMostDoublings = 4;

  std::chrono::milliseconds half() const { return limit_ * (1 << doublings_) / 2; }

  std::chrono::milliseconds limit_{60'000};
  int doublings_ = 0;
  Time heard_;
  std::optional<Time> asked_;
};

}  // namespace walcat
