#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <variant>

#include "walcat/base/log.h"
#include "walcat/cli/command_line.h"
#include "walcat/cli/exit_status.h"
#include "walcat/cli/run.h"
#include "walcat/config/configuration.h"
#include "walcat/postgres/conninfo.h"

namespace walcat {

namespace {

ExitStatus print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  return written ? ExitStatus::kDone : ExitStatus::kOutputFailed;
}

ExitStatus complain(const std::string& text, ExitStatus status) {
  std::fwrite(text.data(), 1, text.size(), stderr);
  return status;
}

ExitStatus reply(const CommandLineReply& reply) {
  return reply.status == ExitStatus::kDone ? print(reply.text) : complain(reply.text, reply.status);
}

ExitStatus carry_out(const CommandLine& line) {
  if (line.command == Command::kVersion) {
    return print(fmt::format("walcat {}\nlibpq {}\n", WALCAT_VERSION, libpq_version()));
  }
  auto configuration = load_configuration(line.config_path, line.overrides);
  if (!configuration.is_ok()) {
    return complain(configuration.status().message() + "\n", exit_status(configuration.status().code()));
  }
  apply_command_line(line, *configuration);
  if (line.command == Command::kConfig) return print(print_configuration(*configuration));
  log::configure(configuration->log);
  return run_pipeline(*configuration);
}

ExitStatus run_main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const auto* answer = std::get_if<CommandLineReply>(&parsed)) return reply(*answer);
    return carry_out(std::get<CommandLine>(parsed));
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "", fmt::format("a bug in walcat: uncaught exception: {}", error.what()));
  } catch (...) {
    log::write(log::Level::kError, "", "a bug in walcat: uncaught exception of unknown type");
  }
  return ExitStatus::kInternal;
}

}  // namespace

}  // namespace walcat

int main(int argc, char** argv) { return static_cast<int>(walcat::run_main(argc, argv)); }
