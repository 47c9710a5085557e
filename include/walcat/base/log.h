#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace walcat::log {

enum class Level { kTrace, kDebug, kInfo, kWarning, kError, kOff };
enum class Format { kText, kJson };

/// Bytes of the longest line, its line feed not counted. Of a message that does not fit, the end is cut off and
/// counted.
inline constexpr std::size_t kLineBytesMost = 16'384;

/// How log lines look. They go to stderr, always. Whatever a message or a database's label holds, a line of text is one
/// line of UTF-8 without control characters, and a line of JSON is one object with the same text in it: see
/// printable.h.
struct Options {
  Level level = Level::kInfo;
  Format format = Format::kText;
};

/// Reads `trace debug info warning error off`.
std::optional<Level> parse_level(std::string_view name);
std::string_view level_name(Level level);

/// Installs the logger. Call once, before any thread that logs starts; without it, the defaults hold.
void configure(const Options& options);

/// Whether a line of `level` would be written.
bool enabled(Level level);

/// Writes one line about `database` (empty: about the process). Of lines of one `kind` (empty: of none) and of level
/// info or above, 100 a minute are written; the others are counted, and a line tells of them when the minute is over. A
/// Logger takes for the kind what a line says before its values are put in.
///
/// Threads: thread-safe. Lines are written whole and at once, so the last one before a crash is not lost.
void write(Level level, std::string_view database, std::string_view message, std::string_view kind = {});

/// The same for the last words of a process: waits neither for the lines of other threads nor for room. What has no
/// room is lost; the line is cut to PIPE_BUF bytes.
void write_at_once(Level level, std::string_view database, std::string_view message);

/// Tells now what was left out: for the end of the program.
///
/// Threads: thread-safe.
void tell_left_out();

/// Writes `text`, lines that each end in a line feed, to stderr outside of the log: complaints before there is one, and
/// tables at the end. What a terminal would obey is escaped as in the log.
///
/// Threads: thread-safe.
void write_lines(std::string_view text);

/// Whether show_status() shows anything: stderr is a terminal, and text of level info goes there.
bool shows_status();

/// Shows on the terminal's last line what `database` is busy with, in place of what was shown of it before; empty: it
/// is not any more.
///
/// Threads: thread-safe. Log lines are written above.
void show_status(std::string_view database, std::string_view text);

/// A voice that names its database on every line.
///
/// Threads: thread-safe after construction.
class Logger {
 public:
  Logger() = default;
  explicit Logger(std::string database) : database_(std::move(database)) {}

  const std::string& database() const { return database_; }

  template <typename... Args>
  void debug(fmt::format_string<Args...> text, Args&&... args) const {
    line(Level::kDebug, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void info(fmt::format_string<Args...> text, Args&&... args) const {
    line(Level::kInfo, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void warning(fmt::format_string<Args...> text, Args&&... args) const {
    line(Level::kWarning, text, std::forward<Args>(args)...);
  }
  template <typename... Args>
  void error(fmt::format_string<Args...> text, Args&&... args) const {
    line(Level::kError, text, std::forward<Args>(args)...);
  }

 private:
  template <typename... Args>
  void line(Level level, fmt::format_string<Args...> text, Args&&... args) const {
    if (!enabled(level)) return;
    const fmt::string_view kind = text;
    write(level, database_, fmt::format(text, std::forward<Args>(args)...), {kind.data(), kind.size()});
  }

  std::string database_;
};

}  // namespace walcat::log
