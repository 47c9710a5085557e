#include "replay_report.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <chrono>
#include <utility>

#include "walcat/base/json_string.h"
#include "walcat/base/printable.h"

namespace walcat {

namespace {

constexpr std::array<std::pair<const char*, double>, 5> kQuantiles{
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99_9", 0.999}, {"max", 1}}};

// Characters. Labels are whatever the captures say.
constexpr std::size_t kLabelMost = 400;

double seconds_of(const ReplayTally& tally) { return std::chrono::duration<double>(tally.time).count(); }

double per_second(std::uint64_t count, const ReplayTally& tally) {
  const double seconds = seconds_of(tally);
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double micros(Delays::Duration delay) { return static_cast<double>(delay.count()) / 1000; }

double cpu_seconds(const rusage& usage) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

rusage own_usage() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage;
}

// What was asked for, in words.
std::string tempo_of(const ReplayOptions& asked) {
  switch (asked.tempo) {
    case ReplayOptions::Tempo::kRate: return fmt::format("{} changes/s", asked.rate);
    case ReplayOptions::Tempo::kRecorded: return fmt::format("{} x as recorded", asked.speed);
    case ReplayOptions::Tempo::kMost: break;
  }
  return "as fast as it goes";
}

}  // namespace

std::string tally_table(const ReplayTally& tally, const ReplayOptions& asked) {
  std::string text = fmt::format("{:<10} {:>14} {:>14} {:>12}\n", "replay", "changes", "changes/s", "MB/s");
  text += fmt::format("{:<10} {:>14} {:>14.0f} {:>12.1f}   in {:.3f} s; asked for: {}\n", "all", tally.changes,
                      per_second(tally.changes, tally), per_second(tally.line_bytes, tally) / 1e6, seconds_of(tally),
                      tempo_of(asked));
  if (tally.lanes.size() > 1) {
    for (const ReplayTally::Lane& lane : tally.lanes) {
      text += fmt::format("{:<10} {:>14} {:>14.0f}   {}\n", "", lane.changes, per_second(lane.changes, tally),
                          printable(lane.label, kLabelMost));
    }
  }
  if (tally.delays.count() == 0) return text;
  text += fmt::format("{:<10}", "delay, us");
  for (const auto& [name, share] : kQuantiles) text += fmt::format(" {:>12}", name);
  text += fmt::format("\n{:<10}", "");
  for (const auto& [name, share] : kQuantiles) text += fmt::format(" {:>12.1f}", micros(tally.delays.quantile(share)));
  return text + "\n";
}

std::string tally_json(const ReplayTally& tally, const ReplayOptions& asked) {
  const bool has_rate = asked.tempo == ReplayOptions::Tempo::kRate;
  const bool has_speed = asked.tempo == ReplayOptions::Tempo::kRecorded;
  const rusage usage = own_usage();
  std::string text = fmt::format(
      R"({{"changes":{},"frames":{},"frame_bytes":{},"line_bytes":{},"seconds":{:.6f},)"
      R"("rate":{{"asked":{},"speed_asked":{},"changes_per_second":{:.1f},"bytes_per_second":{:.0f}}},"delay_us":{{)",
      tally.changes, tally.frames, tally.frame_bytes, tally.line_bytes, seconds_of(tally),
      has_rate ? fmt::format("{}", asked.rate) : "null", has_speed ? fmt::format("{}", asked.speed) : "null",
      per_second(tally.changes, tally), per_second(tally.line_bytes, tally));
  for (const auto& [name, share] : kQuantiles) {
    text += fmt::format(R"({}"{}":{:.1f})", share == kQuantiles.front().second ? "" : ",", name,
                        micros(tally.delays.quantile(share)));
  }
  text += R"(},"databases":[)";
  for (const ReplayTally::Lane& lane : tally.lanes) {
    text += fmt::format(R"({}{{"label":{},"changes":{}}})", &lane == tally.lanes.data() ? "" : ",",
                        json_string(lane.label), lane.changes);
  }
  return text +
         fmt::format(R"(],"cpu_seconds":{:.3f},"peak_memory_bytes":{}}})", cpu_seconds(usage),
                     static_cast<std::uint64_t>(usage.ru_maxrss) * 1024) +
         "\n";
}

}  // namespace walcat
