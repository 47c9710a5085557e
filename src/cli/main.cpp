#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <random>
#include <string>
#include <variant>

#include "walcat/base/descriptor_limit.h"
#include "walcat/base/heap.h"
#include "walcat/base/log.h"
#include "walcat/base/printable.h"
#include "walcat/base/shortage.h"
#include "walcat/cli/command_line.h"
#include "walcat/cli/exit_status.h"
#include "walcat/cli/replay.h"
#include "walcat/cli/run.h"
#include "walcat/cli/stop_signals.h"
#include "walcat/config/configuration.h"
#include "walcat/postgres/conninfo.h"
#include "walcat/postgres/network_risk.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/incremental_request.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

namespace {

// Characters of a name in a table.
constexpr std::size_t kNameMost = 400;

ExitStatus print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? ExitStatus::kDone : ExitStatus::kOutputFailed;
}

ExitStatus complain(const std::string& text, ExitStatus status) {
  log::write_lines(text);
  return status;
}

ExitStatus reply(const CommandLineReply& reply) {
  return reply.status == ExitStatus::kDone ? print(reply.text) : complain(reply.text, reply.status);
}

ExitStatus print_outline(const DatabaseOptions& database) {
  const StopRequest never;
  const auto tables = outline_snapshot(database, never);
  if (!tables.is_ok()) {
    log::write(log::Level::kError, database.label, tables.status().message());
    return exit_status(tables.status().code());
  }
  double rows = 0;
  std::uint64_t bytes = 0;
  std::size_t chunks = 0;
  std::string text = fmt::format("{:>14} {:>12} {:>7}  table\n", "rows (about)", "MB", "chunks");
  for (const TableOutline& table : *tables) {
    const std::string about = table.rows < 0 ? "unknown" : fmt::format("{:.0f}", table.rows);
    text += fmt::format("{:>14} {:>12.1f} {:>7}  {}\n", about, static_cast<double>(table.bytes) / 1e6, table.chunks,
                        printable(table.name, kNameMost));
    rows += std::max(table.rows, 0.0);
    bytes += table.bytes;
    chunks += table.chunks;
  }
  text += fmt::format("{:>14.0f} {:>12.1f} {:>7}  {} tables of {}\n", rows, static_cast<double>(bytes) / 1e6, chunks,
                      tables->size(), printable(database.label, kNameMost));
  return print(text);
}

// The question in the words of the message that asks it.
SnapshotSignal signal_of(const CommandLine& line) {
  SnapshotSignal signal;
  signal.kind = line.ask.value_or(SnapshotSignal::Kind::kStart);
  std::random_device random;
  signal.snapshot.id = fmt::format("{:08x}", random());
  signal.snapshot.tables = line.dump.tables;
  signal.snapshot.where = line.dump.where;
  signal.snapshot.rows_per_second = line.rows_per_second.value_or(0);
  return signal;
}

ExitStatus ask_running(const CommandLine& line, const DatabaseOptions& database) {
  const StopRequest never;
  const SnapshotSignal signal = signal_of(line);
  const auto report = [&](const SnapshotNews& news) {
    log::write(log::Level::kInfo, database.label,
               fmt::format("incremental snapshot {} {}: {}", news.id, news.state, news.text));
  };
  const Status answered = ask_follower(database, signal, {!line.no_wait, line.timeout}, never, report);
  if (answered.is_ok()) return ExitStatus::kDone;
  log::write(log::Level::kError, database.label, answered.message());
  return answered.code() == StatusCode::kWaiting ? ExitStatus::kNotYet : exit_status(answered.code());
}

// Asks whoever follows the slot where that makes sense, else prints the rows here.
ExitStatus snapshot(const CommandLine& line, const Configuration& configuration, StopSignals& signals) {
  const DatabaseOptions& database = configuration.pipeline.databases.front();
  if (line.dry_run) return print_outline(database);
  const bool is_here = line.is_dump || (line.dump.tables.empty() && !line.ask);
  if (is_here) return run_pipeline(configuration, signals);
  const StopRequest never;
  const auto followed = is_followed(database, never);
  if (!followed.is_ok()) {
    log::write(log::Level::kError, database.label, followed.status().message());
    return exit_status(followed.status().code());
  }
  if (*followed) return ask_running(line, database);
  if (!line.ask && !line.no_wait && !line.timeout && !line.rows_per_second) return run_pipeline(configuration, signals);
  log::write(log::Level::kError, database.label,
             fmt::format("nobody follows slot {}: there is no walcat to ask", database.slot_name));
  return ExitStatus::kUnavailable;
}

// Before the first connection: what a password is given away by is not known afterwards.
void tell_network_risk(const DatabaseOptions& database) {
  const auto risk = network_risk(database.conn_str);
  if (risk) log::write(risk->is_chosen ? log::Level::kInfo : log::Level::kWarning, database.label, risk->text);
}

ExitStatus carry_out(const CommandLine& line, StopSignals& signals) {
  if (line.command == Command::kVersion) {
    return print(fmt::format("walcat {}\nlibpq {}\n", WALCAT_VERSION, libpq_version()));
  }
  if (line.command == Command::kReplay) return replay(line, signals);
  if (line.command == Command::kInfo || line.command == Command::kVerify) return describe_captures(line);
  auto configuration = load_configuration(line.config_path, line.overrides);
  if (!configuration.is_ok()) {
    return complain(configuration.status().message() + "\n", exit_status(configuration.status().code()));
  }
  if (const Status applied = apply_command_line(line, *configuration); !applied.is_ok()) {
    return complain("walcat: " + applied.message() + "\n", exit_status(applied.code()));
  }
  if (line.command == Command::kConfig) return print(print_configuration(*configuration));
  log::configure(configuration->log);
  for (const DatabaseOptions& database : configuration->pipeline.databases) tell_network_risk(database);
  if (line.command == Command::kSnapshot) return snapshot(line, *configuration, signals);
  return run_pipeline(*configuration, signals);
}

ExitStatus run_main(int argc, char** argv) {
  settle_heap();
  raise_descriptor_limit();
  try {
    StopSignals signals;
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* answer = std::get_if<CommandLineReply>(&parsed)) return reply(*answer);
    return carry_out(std::get<CommandLine>(parsed), signals);
  } catch (const std::exception& error) {
    if (is_shortage(error)) {
      log::write(log::Level::kError, "", status_of(error, "main thread").message());
      return ExitStatus::kShortage;
    }
    log::write(log::Level::kError, "", fmt::format("a bug in walcat: uncaught exception: {}", error.what()));
  } catch (...) {
    log::write(log::Level::kError, "", "a bug in walcat: uncaught exception of unknown type");
  }
  return ExitStatus::kInternal;
}

}  // namespace

}  // namespace walcat

int main(int argc, char** argv) {
  const auto status = walcat::run_main(argc, argv);
  walcat::log::tell_left_out();
  return static_cast<int>(status);
}
