#include "walcat/cli/replay.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <memory>
#include <system_error>
#include <utility>

#include "replay_report.h"
#include "report_file.h"
#include "walcat/base/log.h"
#include "walcat/base/printable.h"
#include "walcat/capture/summary.h"
#include "walcat/cli/run.h"
#include "walcat/config/configuration.h"
#include "walcat/selection/selection.h"

namespace walcat {

namespace {

ExitStatus complain(const Status& status) {
  log::write(log::Level::kError, "", status.message());
  return exit_status(status.code());
}

// The file that was asked for, or that is there; what it says of servers does not matter.
Result<Configuration> load(const CommandLine& line) {
  const bool is_default = line.config_path == kDefaultConfigPath;
  if (is_default && ::access(kDefaultConfigPath, F_OK) != 0) {
    return parse_configuration("", "the command line", line.overrides, Databases::kOptional);
  }
  return load_configuration(line.config_path, line.overrides, Databases::kOptional);
}

// The entry that a stream is of: with its slot and its label, or else the only one with its slot.
const DatabaseOptions* entry_of(const StreamIdentity& stream, const std::vector<DatabaseOptions>& configured) {
  const auto has_slot = [&](const DatabaseOptions& one) { return one.slot_name == stream.slot; };
  const auto has_both = [&](const DatabaseOptions& one) { return has_slot(one) && one.label == stream.label; };
  auto found = std::find_if(configured.begin(), configured.end(), has_both);
  if (found == configured.end() && std::count_if(configured.begin(), configured.end(), has_slot) == 1) {
    found = std::find_if(configured.begin(), configured.end(), has_slot);
  }
  return found == configured.end() ? nullptr : &*found;
}

// What follows of the configuration for a stream: how its lines are selected and masked, and what is done without. The
// run that recorded it has kept the letters.
DatabaseOptions database_for(const StreamIdentity& stream, const std::vector<DatabaseOptions>& configured) {
  DatabaseOptions database;
  const DatabaseOptions* entry = entry_of(stream, configured);
  if (entry != nullptr) {
    database.selection = entry->selection;
  } else if (!configured.empty()) {
    log::write(
        log::Level::kWarning, stream.label,
        fmt::format("no entry of the configuration is its own (slot {}): nothing is selected or masked", stream.slot),
        "a stream without an entry");
  }
  // The same for all.
  if (!configured.empty()) {
    database.on_poison = configured.front().on_poison;
    database.on_lost_rule = configured.front().on_lost_rule;
  }
  database.label = stream.label;
  database.slot_name = stream.slot;
  database.publication_name = stream.publication;
  return database;
}

// Streams of the same label are told apart in logs and reports: by the server where that is enough.
void set_labels(std::vector<DatabaseOptions>& databases,
                const std::vector<std::shared_ptr<const StreamIdentity>>& streams) {
  for (std::size_t i = 0; i < databases.size(); ++i) {
    const StreamIdentity& one = *streams[i];
    const auto others =
        std::count_if(streams.begin(), streams.end(), [&](const auto& other) { return other->label == one.label; });
    const auto of_server = std::count_if(streams.begin(), streams.end(), [&](const auto& other) {
      return other->label == one.label && other->system_identifier == one.system_identifier;
    });
    if (others > 1) databases[i].label = fmt::format("{}@{}", one.label, one.system_identifier);
    if (of_server > 1) databases[i].label += fmt::format("/{}/{}", one.database, one.slot);
  }
}

// A replay may take hours: better to know before.
bool takes_report(const std::string& path, ReportFile& report) {
  if (path.empty() || path == "-" || report.prepare()) return true;
  const int reason = errno;
  log::write_lines(fmt::format("walcat: --report: {}: {}\n", path, std::generic_category().message(reason)));
  return false;
}

bool leave_report(const std::string& path, const ReportFile& report, const std::string& json) {
  const bool is_left =
      path == "-" ? std::fwrite(json.data(), 1, json.size(), stderr) == json.size() : report.leave(json);
  if (!is_left) {
    const int reason = errno;
    log::write(log::Level::kError, "", fmt::format("report {}: {}", path, std::generic_category().message(reason)));
  }
  return is_left;
}

}  // namespace

ExitStatus replay(const CommandLine& line, StopSignals& signals) {
  ReportFile report(line.report_path);
  if (!takes_report(line.report_path, report)) return ExitStatus::kUsage;
  auto configuration = load(line);
  if (!configuration.is_ok()) {
    log::write_lines(configuration.status().message() + "\n");
    return exit_status(configuration.status().code());
  }
  if (const Status applied = apply_command_line(line, *configuration); !applied.is_ok()) return complain(applied);
  log::configure(configuration->log);
  auto player = CapturePlayer::open(line.replay);
  if (!player.is_ok()) return complain(player.status());
  PipelineOptions& pipeline = configuration->pipeline;
  std::vector<DatabaseOptions> databases;
  for (const auto& stream : (*player)->streams()) databases.push_back(database_for(*stream, pipeline.databases));
  set_labels(databases, (*player)->streams());
  for (DatabaseOptions& database : databases) {
    if (line.replay_tables.empty()) continue;
    database.selection.include_tables.clear();
    for (const TableName& table : line.replay_tables) {
      database.selection.include_tables.push_back(pattern_of(table));
    }
  }
  pipeline.databases = std::move(databases);
  pipeline.capture.reset();
  std::optional<ReplayTally> tally;
  ExitStatus status = run_replay(*configuration, signals, std::move(*player), tally);
  if (!tally) return status;
  if (log::enabled(log::Level::kInfo)) log::write_lines(tally_table(*tally, line.replay));
  const bool reported =
      line.report_path.empty() || leave_report(line.report_path, report, tally_json(*tally, line.replay));
  return status == ExitStatus::kDone && !reported ? ExitStatus::kOutputFailed : status;
}

ExitStatus describe_captures(const CommandLine& line) {
  ExitStatus status = ExitStatus::kDone;
  for (const std::string& path : line.replay.paths) {
    const auto summary = summarize(path);
    if (!summary.is_ok()) {
      status = complain(summary.status());
      continue;
    }
    std::string text;
    if (line.command == Command::kVerify) {
      const std::string torn =
          summary->torn_at ? fmt::format("; it ends inside a block, at byte {}", *summary->torn_at) : "";
      text = fmt::format("{}: whole, {} blocks{}\n", printable(path, PATH_MAX), summary->file.blocks, torn);
    } else {
      text = line.as_json ? to_json(*summary) + "\n" : to_text(*summary);
    }
    const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    if (!written) return ExitStatus::kOutputFailed;
  }
  return status;
}

}  // namespace walcat
