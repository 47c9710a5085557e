#include "walcat/base/log.h"

#include <poll.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>

#include "status_line.h"

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

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size() + 2);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

struct State {
  std::shared_ptr<spdlog::logger> logger;
  Format format = Format::kText;
};

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

State make_state(const Options& options) {
  State state;
  state.logger = std::make_shared<spdlog::logger>("walcat", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  state.logger->set_level(spdlog_level(options.level));
  state.logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      options.format == Format::kJson ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
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

// A message of several lines would break "one line, one event" for whoever greps the log.
std::string on_one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '\n' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c;
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

// What stands at %v of the patterns.

std::string json_text(std::string_view database, std::string_view message) {
  const std::string who = database.empty() ? "" : fmt::format(R"("database":"{}",)", json_escaped(database));
  return fmt::format(R"({}"message":"{}")", who, json_escaped(message));
}

std::string plain_text(std::string_view database, std::string_view message) {
  const std::string who = database.empty() ? "" : fmt::format("[{}] ", database);
  return who + on_one_line(message);
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

void write(Level level, std::string_view database, std::string_view message) {
  const State& s = state();
  if (s.format == Format::kJson) {
    s.logger->log(spdlog_level(level), json_text(database, message));
    return;
  }
  if (!enabled(level)) return;
  status_line().around([&] { s.logger->log(spdlog_level(level), plain_text(database, message)); });
}

// With a formatter of its own, for the logger's is used under a lock. What poll(2) says is room takes PIPE_BUF bytes.
void write_at_once(Level level, std::string_view database, std::string_view message) {
  if (!enabled(level)) return;
  const bool is_json = state().format == Format::kJson;
  const std::string text = is_json ? json_text(database, message) : plain_text(database, message);
  spdlog::memory_buf_t line;
  spdlog::pattern_formatter(is_json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc)
      .format(spdlog::details::log_msg("walcat", spdlog_level(level), text), line);
  pollfd room{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&room, 1, 0) != 1 || (room.revents & POLLOUT) == 0) return;
  [[maybe_unused]] const auto written =
      ::write(STDERR_FILENO, line.data(), std::min<std::size_t>(line.size(), PIPE_BUF));
}

}  // namespace walcat::log
