#include "keys.h"

#include "database_keys.h"
#include "output_keys.h"

namespace walcat::config {

namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::uint64_t kKiB = 1 << 10;
constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kGiB = 1 << 30;

std::vector<Field<Draft>> retry_keys() {
  return {
      value<Draft>("max_retries", count<std::uint32_t>(0, 1'000'000),
                   WALCAT_MEMBER(configuration.pipeline.retry.max_retries)),
      value<Draft>("initial_backoff", duration(milliseconds(1), hours(24)),
                   WALCAT_MEMBER(configuration.pipeline.retry.initial_backoff)),
      value<Draft>("max_backoff", duration(milliseconds(1), hours(24)),
                   WALCAT_MEMBER(configuration.pipeline.retry.max_backoff)),
      value<Draft>("backoff_multiplier", number(1, 1000),
                   WALCAT_MEMBER(configuration.pipeline.retry.backoff_multiplier)),
  };
}

std::vector<Field<Draft>> breaker_keys() {
  return {
      value<Draft>("failure_threshold", count<std::uint32_t>(1, 1'000'000),
                   WALCAT_MEMBER(configuration.pipeline.breaker.failure_threshold)),
      value<Draft>("open_timeout", duration(milliseconds(1), hours(24)),
                   WALCAT_MEMBER(configuration.pipeline.breaker.open_timeout)),
  };
}

std::vector<Field<Draft>> pipeline_keys() {
  return {
      value<Draft>("decoders", count<std::size_t>(0, 256), WALCAT_MEMBER(configuration.pipeline.street.decoders)),
      value<Draft>("serializers", count<std::size_t>(0, 256), WALCAT_MEMBER(configuration.pipeline.street.serializers)),
      value<Draft>("batch_bytes", bytes(4 * kKiB, 64 * kMiB, "automatic"),
                   WALCAT_MEMBER(configuration.pipeline.street.batch_bytes)),
      value<Draft>("memory_limit", bytes(4 * kMiB, 1024 * kGiB),
                   WALCAT_MEMBER(configuration.pipeline.street.memory_limit)),
  };
}

std::vector<Field<Draft>> snapshot_keys() {
  using Mode = SnapshotOptions::Mode;
  return {
      value<Draft>("mode",
                   choice<Mode>({{"initial", Mode::kInitial},
                                 {"initial_only", Mode::kInitialOnly},
                                 {"never", Mode::kNever},
                                 {"always", Mode::kAlways},
                                 {"when_needed", Mode::kWhenNeeded}}),
                   WALCAT_MEMBER(snapshot.mode)),
      value<Draft>("workers", count<std::size_t>(1, 256), WALCAT_MEMBER(snapshot.workers)),
      value<Draft>("chunk_size", bytes(64 * kKiB, 1024 * kGiB), WALCAT_MEMBER(snapshot.chunk_bytes)),
  };
}

std::vector<Field<Draft>> spool_keys() {
  auto directory = value<Draft>("directory", file_path(), WALCAT_MEMBER(spool.directory));
  directory.print = [print = directory.print](const Draft& from, const std::string& indent) {
    return from.spool.directory.empty() ? indent + "# no directory: that of the offset file\n" : print(from, indent);
  };
  return {
      value<Draft>("streaming", boolean(), WALCAT_MEMBER(spool.streaming)),
      directory,
      value<Draft>("memory", bytes(0, 1024 * kGiB), WALCAT_MEMBER(spool.memory)),
      value<Draft>("size_limit", bytes(kMiB, 1024 * 1024 * kGiB, "none"), WALCAT_MEMBER(spool.size_limit)),
  };
}

Field<Draft> warn_at() {
  auto field = list<Draft>("warn_at", bytes(kMiB, 1024 * kGiB), "a list of sizes such as 1GiB, or [] for none",
                           EmptyList::kTaken, WALCAT_MEMBER(wal_guard.warn_at));
  // A list that is written stands in place of the default.
  field.read = [read = field.read](const Node& node, const std::string& path, Draft& into, Faults& faults) {
    into.wal_guard.warn_at.clear();
    read(node, path, into, faults);
  };
  return field;
}

std::vector<Field<Draft>> wal_guard_keys() {
  return {
      value<Draft>("interval", duration(milliseconds(0), hours(24)), WALCAT_MEMBER(wal_guard.interval)),
      warn_at(),
  };
}

std::vector<Field<Draft>> log_keys() {
  std::vector<std::pair<std::string_view, log::Level>> levels;
  for (const auto level : {log::Level::kTrace, log::Level::kDebug, log::Level::kInfo, log::Level::kWarning,
                           log::Level::kError, log::Level::kOff}) {
    levels.emplace_back(log::level_name(level), level);
  }
  return {
      value<Draft>("level", choice<log::Level>(levels), WALCAT_MEMBER(configuration.log.level)),
      value<Draft>("format", choice<log::Format>({{"text", log::Format::kText}, {"json", log::Format::kJson}}),
                   WALCAT_MEMBER(configuration.log.format)),
  };
}

}  // namespace

const std::vector<Field<Draft>>& top_level_keys() {
  static const std::vector<Field<Draft>> keys = {
      value<Draft>("connector_name", text(1, 255), WALCAT_MEMBER(configuration.pipeline.serializer.connector_name)),
      value<Draft>("flush_interval", duration(milliseconds(1), hours(24)),
                   WALCAT_MEMBER(configuration.pipeline.flush_interval)),
      value<Draft>("shutdown_timeout", duration(milliseconds(0), hours(24)),
                   WALCAT_MEMBER(configuration.pipeline.shutdown_timeout)),
      // Printed as each database's own file.
      unprinted(value<Draft>("offset_file", file_path(), WALCAT_MEMBER(offset_file))),
      value<Draft>("inactive_slot_check", boolean(), WALCAT_MEMBER(inactive_slot_check)),
      value<Draft>(
          "on_gap",
          choice<OnGap>({{"fail", OnGap::kFail}, {"snapshot", OnGap::kSnapshot}, {"continue", OnGap::kContinue}}),
          WALCAT_MEMBER(on_gap)),
      // Printed as each database's own.
      unprinted(value<Draft>("on_keyless", on_keyless_words(), WALCAT_MEMBER(on_keyless))),
      value<Draft>("on_poison", choice<OnPoison>({{"stop", OnPoison::kStop}, {"dead_letter", OnPoison::kDeadLetter}}),
                   WALCAT_MEMBER(on_poison)),
      value<Draft>("on_lost_rule",
                   choice<OnLostRule>(
                       {{"stop", OnLostRule::kStop}, {"mask", OnLostRule::kMask}, {"continue", OnLostRule::kContinue}}),
                   WALCAT_MEMBER(on_lost_rule)),
      // Printed as each database's own file.
      unprinted(value<Draft>("dead_letter_file", file_path(), WALCAT_MEMBER(dead_letter_file))),
      value<Draft>("heartbeat_interval", duration(milliseconds(0), hours(24)), WALCAT_MEMBER(heartbeat_interval)),
      section<Draft>("wal_guard", wal_guard_keys()),
      section<Draft>("snapshot", snapshot_keys()),
      section<Draft>("spool", spool_keys()),
      value<Draft>("two_phase", boolean(), WALCAT_MEMBER(two_phase)),
      section<Draft>("retry_config", retry_keys()),
      section<Draft>("circuit_breaker", breaker_keys()),
      database_list(),
      output_section(),
      section<Draft>("pipeline", pipeline_keys()),
      section<Draft>("log", log_keys()),
  };
  return keys;
}

}  // namespace walcat::config
