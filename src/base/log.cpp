#include "walcat/base/log.h"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <memory>
#include <mutex>

#include "line_limit.h"
#include "status_line.h"
#include "walcat/base/json_string.h"
#include "walcat/base/printable.h"

namespace walcat::log {

namespace {

constexpr std::array<std::pair<std::string_view, Level>, 6> kLevelNames{{{"trace", Level::kTrace},
                                                                         {"debug", Level::kDebug},
                                                                         {"info", Level::kInfo},
                                                                         {"warning", Level::kWarning},
                                                                         {"error", Level::kError},
                                                                         {"off", Level::kOff}}};

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::kTrace: return spdlog::level::trace;
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
    case Level::kOff: return spdlog::level::off;
  }
  return spdlog::level::info;
}

// A message has as many bytes in both formats; in JSON each may need a backslash. A label of these characters and of
// nothing but control characters has seven bytes for each.
constexpr std::size_t kMessageBytesMost = 7'000;
constexpr std::size_t kLabelMost = 300;
constexpr std::size_t kAroundThem = 128;
static_assert(2 * kMessageBytesMost + 7 * kLabelMost + kAroundThem <= kLineBytesMost);
// Of the lines that a process may leave behind at once.
constexpr std::size_t kLastWordsBytesMost = 900;
static_assert(2 * kLastWordsBytesMost + 7 * kLabelMost + kAroundThem <= PIPE_BUF);

struct State {
  std::shared_ptr<spdlog::logger> logger;
  Format format = Format::kText;
};

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

const char* pattern_of(Format format) { return format == Format::kJson ? kJsonPattern : kTextPattern; }

State make_state(const Options& options) {
  State state;
  state.logger = std::make_shared<spdlog::logger>("walcat", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  state.logger->set_level(spdlog_level(options.level));
  state.logger->set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern_of(options.format), spdlog::pattern_time_type::utc));
  state.logger->flush_on(spdlog::level::trace);
  state.format = options.format;
  return state;
}

State& state() {
  static State instance = make_state(Options{});
  return instance;
}

StatusLine& status_line() {
  static StatusLine instance;
  return instance;
}

// The lines that are written, and how many there may be.
struct Gate {
  std::mutex mutex;
  // Guarded by mutex:
  LineLimit limit;
};

Gate& gate() {
  static Gate instance;
  return instance;
}

// What stands at %v of the pattern: the only place where label and message come into a line. They may hold anything.
std::string line_text(std::string_view database, std::string_view message, std::size_t message_bytes_most) {
  const std::string label = printable(database, kLabelMost);
  const std::string text = printable_line(message, message_bytes_most);
  if (state().format == Format::kJson) {
    const std::string who = label.empty() ? "" : fmt::format(R"("database":{},)", json_string(label));
    return fmt::format(R"({}"message":{})", who, json_string(text));
  }
  return label.empty() ? text : fmt::format("[{}] {}", label, text);
}

void put(Level level, std::string_view database, std::string_view message) {
  const auto log = [&] {
    state().logger->log(spdlog_level(level), spdlog::string_view_t(line_text(database, message, kMessageBytesMost)));
  };
  state().format == Format::kJson ? log() : status_line().around(log);
}

void put_left_out(const LineLimit::LeftOut& told) {
  put(Level::kWarning, told.database, fmt::format("{} lines like this were left out: {}", told.count, told.last));
}

// Whether a line of this kind may be written; tells first of those that were not. The same words at another level are
// of another kind, so that warnings keep no error back.
bool passes(Level level, std::string_view database, std::string_view kind, std::string_view message) {
  const auto now = LineLimit::Clock::now();
  const std::lock_guard lock(gate().mutex);
  while (const auto told = gate().limit.take_left_out(now)) put_left_out(*told);
  return kind.empty() || gate().limit.admits(database, fmt::format("{} {}", level_name(level), kind), message, now);
}

}  // namespace

std::optional<Level> parse_level(std::string_view name) {
  for (const auto& [known, level] : kLevelNames) {
    if (known == name) return level;
  }
  return std::nullopt;
}

std::string_view level_name(Level level) {
  for (const auto& [name, known] : kLevelNames) {
    if (known == level) return name;
  }
  return "info";
}

void configure(const Options& options) { state() = make_state(options); }

bool shows_status() { return state().format == Format::kText && enabled(Level::kInfo) && StatusLine::is_possible(); }

void show_status(std::string_view database, std::string_view text) {
  if (shows_status()) status_line().show(database, text);
}

bool enabled(Level level) { return state().logger->should_log(spdlog_level(level)); }

void write(Level level, std::string_view database, std::string_view message, std::string_view kind) {
  if (!enabled(level)) return;
  const bool is_bounded = level >= Level::kInfo;
  if (!is_bounded || passes(level, database, kind, message)) put(level, database, message);
}

// With a formatter of its own, for the logger's is used under a lock. What poll(2) says is room takes PIPE_BUF bytes.
void write_at_once(Level level, std::string_view database, std::string_view message) {
  if (!enabled(level)) return;
  const std::string text = line_text(database, message, kLastWordsBytesMost);
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(pattern_of(state().format), spdlog::pattern_time_type::utc)
      .format(spdlog::details::log_msg("walcat", spdlog_level(level), text), line);
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

void tell_left_out() {
  const std::lock_guard lock(gate().mutex);
  while (const auto told = gate().limit.take_left_out(std::nullopt)) put_left_out(*told);
}

void write_lines(std::string_view text) {
  const std::string shown = printable_lines(text, kLineBytesMost);
  status_line().around([&] { std::fwrite(shown.data(), 1, shown.size(), stderr); });
}

}  // namespace walcat::log
