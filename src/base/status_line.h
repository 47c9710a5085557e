#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace walcat::log {

/// The last line of a terminal, rewritten in place: what each database is busy with.
///
/// Threads: thread-safe; whoever writes to stderr meanwhile does so in around().
class StatusLine {
 public:
  /// Whether stderr is a terminal; else nothing is ever shown.
  static bool is_possible();

  /// Replaces the text about `database`; empty: nothing is shown about it any more.
  void show(std::string_view database, std::string_view text);

  /// Runs `write` with the line taken away, and puts it back.
  template <typename Write>
  void around(Write&& write) {
    const std::lock_guard lock(mutex_);
    const bool shown = !texts_.empty();
    if (shown) erase();
    write();
    if (shown) draw();
  }

 private:
  static void erase();
  void draw() const;

  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> texts_;
};

}  // namespace walcat::log
