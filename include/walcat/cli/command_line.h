#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/cli/exit_status.h"
#include "walcat/config/configuration.h"
#include "walcat/reader/options.h"
#include "walcat/reader/replay_options.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

enum class Command {
  kRun,       ///< Follow the databases; the default.
  kSnapshot,  ///< Print rows of tables once, or have them printed between the changes.
  kCapture,   ///< Keep the frames of the databases in a file.
  kInfo,      ///< Say what captures hold.
  kVerify,    ///< Read captures to their end and say whether they are whole.
  kReplay,    ///< Print what captures hold.
  kConfig,    ///< Print the effective configuration.
  kVersion,   ///< Print the versions of walcat and libpq.
};

inline constexpr const char* kDefaultConfigPath = "config.yaml";

/// What the command line asks for.
struct CommandLine {
  Command command = Command::kRun;
  std::string config_path = kDefaultConfigPath;
  /// `path.to.key=value`, in the order given.
  std::vector<std::string> overrides;
  Bounds bounds;
  /// Changes to write before a clean stop, at least 1.
  std::optional<std::uint64_t> max_changes;
  /// Wins over the configuration's `on_gap`.
  std::optional<OnGap> on_gap;
  /// What `snapshot` prints; without tables, what the publication publishes.
  DumpOptions dump;
  /// Name of the database in logs, where the configuration has several.
  std::string database;
  /// Whether `snapshot` only says what it would read.
  bool dry_run = false;
  /// Whether `snapshot` prints the rows itself even where a walcat follows the slot that could do it.
  bool is_dump = false;
  /// What `snapshot` asks of a walcat that follows the slot; nothing: to read the tables.
  std::optional<SnapshotSignal::Kind> ask;
  /// Of the tables' rows; 0: no limit.
  std::optional<std::uint64_t> rows_per_second;
  /// Whether `snapshot` goes once its question is accepted.
  bool no_wait = false;
  /// How long `snapshot` waits for what it has asked for; nothing: as long as it takes.
  std::optional<std::chrono::seconds> timeout;
  /// Where `capture` puts the frames; without a path, where the configuration says.
  CaptureOptions capture;
  /// What `replay` plays, and `capture info` and `verify` read.
  ReplayOptions replay;
  /// Of `replay`: only these are printed; empty: as the configuration has it.
  std::vector<TableName> replay_tables;
  Room stop_after = Room::kWriter;
  /// Where `replay` leaves its tally as JSON; empty: nowhere.
  std::string report_path;
  bool as_json = false;
  std::optional<log::Level> log_level;
  std::optional<log::Format> log_format;
};

/// An answer that ends the program: help for stdout with kDone, or a usage error for stderr with kUsage.
struct CommandLineReply {
  std::string text;
  ExitStatus status = ExitStatus::kDone;
};

/// Reads the command line. Options may stand before and after the command.
///
/// Errors: a reply of one line that says what is wrong and where help is. Never a password.
std::variant<CommandLine, CommandLineReply> parse_command_line(int argc, const char* const* argv);

/// Puts what the command line says into `configuration`; it wins over the file.
///
/// Errors: kConfiguration if no database, or more than one, fits what `snapshot` asks for.
Status apply_command_line(const CommandLine& command_line, Configuration& configuration);

}  // namespace walcat
