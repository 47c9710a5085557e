#include "walcat/cli/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>

#include "files_apart.h"
#include "help_texts.h"
#include "walcat/base/claimed_files.h"
#include "walcat/postgres/conninfo.h"

namespace walcat {

namespace {

std::optional<std::uint64_t> parse_count(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

std::optional<std::uint64_t> parse_positive(const std::string& text) {
  const auto count = parse_count(text);
  return count && *count > 0 ? count : std::nullopt;
}

// A callback of CLI11 that takes `parse`'s value, or refuses the text with what was expected.
template <typename Value, typename Parse>
std::function<void(const std::string&)> into(std::optional<Value>& value, const std::string& option, Parse parse,
                                             const std::string& expected) {
  return [&value, option, parse, expected](const std::string& text) {
    value = parse(text);
    if (!value) throw CLI::ValidationError(option, "found \"" + text + "\"; expected " + expected);
  };
}

std::optional<std::chrono::seconds> parse_seconds(const std::string& text) {
  constexpr std::uint64_t kMost = 1'000'000'000;
  const auto count = parse_positive(text);
  return count && *count <= kMost ? std::optional(std::chrono::seconds(*count)) : std::nullopt;
}

std::optional<Lsn> parse_bound(const std::string& text) {
  const auto lsn = Lsn::parse(text);
  return lsn && *lsn ? lsn : std::nullopt;
}

std::optional<log::Format> parse_format(const std::string& text) {
  if (text == "text") return log::Format::kText;
  if (text == "json") return log::Format::kJson;
  return std::nullopt;
}

void add_input_options(CLI::App& app, CommandLine& line) {
  app.add_option("-c,--config", line.config_path, "Configuration file (default: config.yaml)")->type_name("FILE");
  const auto take = [&line](const std::vector<std::string>& overrides) {
    for (const std::string& text : overrides) {
      if (text.find('=') == std::string::npos) throw CLI::ValidationError("--set", "expected KEY=VALUE");
    }
    line.overrides = overrides;
  };
  app.add_option_function<std::vector<std::string>>("--set", take,
                                                    "Override a key of the file: databases.0.slot_name=s1; repeatable")
      ->type_name("KEY=VALUE")
      ->expected(1)
      ->allow_extra_args(false)
      ->take_all();
}

void add_bound_options(CLI::App& app, CommandLine& line) {
  CLI::Option* until_lsn =
      app.add_option_function<std::string>(
             "--until-lsn", into(line.bounds.until_lsn, "--until-lsn", parse_bound, "a position such as 16/B374D848"),
             "Stop after every transaction that committed before this position")
          ->type_name("X/X");
  app.add_flag("--until-caught-up", line.bounds.until_caught_up,
               "Stop after what the server had written at the first connection")
      ->excludes(until_lsn);
  app.add_option_function<std::string>(
         "--max-changes", into(line.max_changes, "--max-changes", parse_positive, "a number of changes, at least 1"),
         "Stop after this many changes; borders of transactions do not count")
      ->type_name("N");
}

void add_gap_option(CLI::App& app, CommandLine& line) {
  const auto parse = [](const std::string& text) -> std::optional<OnGap> {
    if (text == "fail") return OnGap::kFail;
    if (text == "snapshot") return OnGap::kSnapshot;
    if (text == "continue") return OnGap::kContinue;
    return std::nullopt;
  };
  app.add_option_function<std::string>("--on-gap", into(line.on_gap, "--on-gap", parse, "fail, snapshot or continue"),
                                       "Where changes are lost: fail, snapshot (all rows anew) or continue (default: "
                                       "on_gap of the file, or fail)")
      ->type_name("CHOICE");
}

void add_log_options(CLI::App& app, CommandLine& line) {
  app.add_option_function<std::string>(
         "--log-level",
         into(line.log_level, "--log-level", log::parse_level, "trace, debug, info, warning, error or off"),
         "trace, debug, info, warning, error or off (default: log.level of the file, or info)")
      ->type_name("LEVEL");
  app.add_option_function<std::string>("--log-format",
                                       into(line.log_format, "--log-format", parse_format, "text or json"),
                                       "text or json (default: log.format of the file, or text)")
      ->type_name("FORMAT");
}

// A stray word may be a connection string that somebody hoped to give directly.
std::string shown(const std::string& word) {
  if (word.starts_with("-")) return word.substr(0, word.find('='));
  return word.find_first_of("=@:") == std::string::npos ? word : masked_conninfo(word);
}

CommandLineReply usage_error(const std::string& message) {
  const std::string line = message.substr(0, message.find('\n'));
  return {"walcat: " + line + " (see walcat --help)\n", ExitStatus::kUsage};
}

struct Commands {
  CLI::App* run;
  CLI::App* capture;
  CLI::App* info;
  CLI::App* verify;
  CLI::App* replay;
  CLI::App* snapshot;
  CLI::App* config;
  CLI::App* version;
};

// Options stand on the root alone and fall through to it, so that they may stand on either side of the command.
Commands add_commands(CLI::App& app) {
  app.require_subcommand(0, 1);
  app.fallthrough();
  CLI::App* run = app.add_subcommand("run", "Follow the databases and print their changes (the default)");
  CLI::App* capture = app.add_subcommand("capture", "Record what the databases send; see also output.capture");
  Commands commands{
      run,
      capture,
      capture->add_subcommand("info", "Print what captures hold"),
      capture->add_subcommand("verify", "Check captures to their end"),
      app.add_subcommand("replay", "Print what captures hold, as if it came now"),
      app.add_subcommand("snapshot", "Print the rows of tables, here or between a running walcat's changes"),
      app.add_subcommand("config", "Print the effective configuration, passwords masked"),
      app.add_subcommand("version", "Print the versions of walcat and libpq")};
  capture->require_subcommand(0, 1);
  for (CLI::App* command : {commands.run, commands.capture, commands.info, commands.verify, commands.replay,
                            commands.snapshot, commands.config, commands.version}) {
    command->fallthrough();
  }
  return commands;
}

// Splits at commas outside of double quotes.
std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> parts(1);
  bool quoted = false;
  for (const char c : text) {
    quoted = quoted != (c == '"');
    if (c == ',' && !quoted) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

CLI::Option* add_tables_option(CLI::App& command, std::vector<TableName>& tables) {
  const auto take = [&tables](const std::string& text) {
    for (const std::string& part : split_list(text)) {
      const auto table = TableName::parse(part);
      if (!table) throw CLI::ValidationError("--tables", "found \"" + part + "\"; expected schema.table");
      tables.push_back(*table);
    }
  };
  return command.add_option_function<std::string>("--tables", take, "Tables to print");
}

void add_capture_options(const Commands& commands, CommandLine& line) {
  CLI::App& capture = *commands.capture;
  const auto take_path = [&line](const std::string& text) {
    if (text == "-") throw CLI::ValidationError("-o", "found \"-\"; expected a file, which can be synced");
    line.capture.path = text;
  };
  capture.add_option_function<std::string>("-o,--output", take_path, "The capture");
  capture.add_flag("--zstd", line.capture.compress, "Compress it");
  const auto take_size = [&line](const std::string& text) {
    const auto size = parse_size(text);
    if (!size || *size < kSmallestRotation) {
      throw CLI::ValidationError("--rotate", "found \"" + text + "\"; expected a size such as 1GiB, at least 1MiB");
    }
    line.capture.rotate_bytes = *size;
  };
  capture.add_option_function<std::string>("--rotate", take_size, "Begin another file after this size");
  for (CLI::App* command : {commands.info, commands.verify}) {
    command->add_option("FILE", line.replay.paths, "Captures")->required();
  }
  commands.info->add_flag("--json", line.as_json, "As JSON, a line a file");
}

// A positive number, such as 0.5.
std::optional<double> parse_factor(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool is_number = error == std::errc{} && end == text.data() + text.size();
  return is_number && std::isfinite(value) && value > 0 ? std::optional(value) : std::nullopt;
}

// A positive number, with or without /s.
std::optional<double> parse_rate(const std::string& text) {
  return parse_factor(text.ends_with("/s") ? text.substr(0, text.size() - 2) : text);
}

std::optional<Room> parse_room(const std::string& text) {
  if (text == "reader") return Room::kReader;
  if (text == "decoder") return Room::kDecoder;
  if (text == "serializer") return Room::kSerializer;
  if (text == "writer") return Room::kWriter;
  return std::nullopt;
}

// A callback of CLI11 that takes `parse`'s value, and says what it was given for.
template <typename Value, typename Parse, typename Take>
std::function<void(const std::string&)> taken(const std::string& option, Parse parse, const std::string& expected,
                                              Take take) {
  return [option, parse, expected, take](const std::string& text) {
    std::optional<Value> value;
    into(value, option, parse, expected)(text);
    take(*value);
  };
}

void add_tempo_options(CLI::App& command, ReplayOptions& replay) {
  const auto take_rate = [&replay](double rate) {
    replay.tempo = ReplayOptions::Tempo::kRate;
    replay.rate = rate;
  };
  const auto take_speed = [&replay](double speed) {
    replay.tempo = ReplayOptions::Tempo::kRecorded;
    replay.speed = speed;
  };
  CLI::Option* rate = command.add_option_function<std::string>(
      "--rate", taken<double>("--rate", parse_rate, "changes a second, such as 5000", take_rate), "Changes a second");
  CLI::Option* speed = command.add_option_function<std::string>(
      "--speed", taken<double>("--speed", parse_factor, "a factor such as 1.0", take_speed), "Times as recorded");
  CLI::Option* most = command.add_flag_callback(
      "--max", [&replay] { replay.tempo = ReplayOptions::Tempo::kMost; }, "As fast as the output takes it");
  rate->excludes(speed)->excludes(most);
  speed->excludes(most);
  const auto take_loops = [&replay](std::uint64_t loops) { replay.loops = loops; };
  command.add_option_function<std::string>(
      "--loop", taken<std::uint64_t>("--loop", parse_count, "how many times, or 0 for ever", take_loops), "Times");
}

void add_replay_options(CLI::App& command, CommandLine& line) {
  command.add_option("FILE", line.replay.paths, "Captures")->required();
  add_tempo_options(command, line.replay);
  const auto take_databases = [&line](const std::string& text) { line.replay.databases = split_list(text); };
  command.add_option_function<std::string>("--databases", take_databases, "Databases to play");
  add_tables_option(command, line.replay_tables);
  const std::string position = "a position such as 16/B374D848";
  command.add_option_function<std::string>(
      "--from-lsn", taken<Lsn>("--from-lsn", parse_bound, position, [&line](Lsn lsn) { line.replay.from_lsn = lsn; }),
      "From which position");
  command.add_option_function<std::string>(
      "--to-lsn", taken<Lsn>("--to-lsn", parse_bound, position, [&line](Lsn lsn) { line.replay.to_lsn = lsn; }),
      "To which position");
  command.add_option("--report", line.report_path, "Where the tally goes as JSON");
  command.add_option_function<std::string>(
      "--stop-after",
      taken<Room>("--stop-after", parse_room, "reader, decoder, serializer or writer",
                  [&line](Room room) { line.stop_after = room; }),
      "The last room");
}

void add_snapshot_options(CLI::App& command, CommandLine& line) {
  CLI::Option* tables = add_tables_option(command, line.dump.tables);
  CLI::Option* where = command.add_option("--where", line.dump.where, "Only rows for which this holds");
  command.add_option("--database", line.database, "The entry of the configuration");
  CLI::Option* dry_run = command.add_flag("--dry-run", line.dry_run, "Print what would be read");
  CLI::Option* dump = command.add_flag("--dump", line.is_dump, "Print here");
  CLI::Option* rate = command.add_option_function<std::string>(
      "--rate", into(line.rows_per_second, "--rate", parse_positive, "a number of rows, at least 1"), "Rows a second");
  CLI::Option* no_wait = command.add_flag("--no-wait", line.no_wait, "Leave once it is accepted");
  CLI::Option* timeout = command.add_option_function<std::string>(
      "--timeout",
      into(line.timeout, "--timeout", parse_seconds, "a number of seconds, at least 1 and at most 1000000000"),
      "Seconds to wait for the end");
  for (CLI::Option* here : {dry_run, dump}) here->excludes(rate)->excludes(no_wait)->excludes(timeout);
  for (CLI::Option* there : {rate, no_wait}) there->needs(tables);
  std::vector<CLI::Option*> others{dry_run, dump, rate, no_wait, tables, where};
  using Kind = SnapshotSignal::Kind;
  for (const auto& [name, kind] : {std::pair("--pause", Kind::kPause), std::pair("--resume", Kind::kResume),
                                   std::pair("--cancel", Kind::kCancel)}) {
    CLI::Option* ask = command.add_flag_callback(name, [&line, kind = kind] { line.ask = kind; }, "Of what was asked");
    for (CLI::Option* other : others) ask->excludes(other);
    others.push_back(ask);
  }
}

// What stands among the options of every command, and means nothing to one that reads captures; empty: all is well.
std::string misplaced(const CommandLine& line) {
  if (line.timeout && line.dump.tables.empty() && !line.ask) {
    return "--timeout is about what a running walcat is asked for; give --tables too";
  }
  const bool is_replay = line.command == Command::kReplay;
  if (!is_replay && line.command != Command::kInfo && line.command != Command::kVerify) return "";
  const std::string hint = is_replay ? "; a replay may end with --to-lsn or --max-changes" : "";
  if (line.bounds.until_lsn) return "--until-lsn is about servers, and captures have none" + hint;
  if (line.bounds.until_caught_up) return "--until-caught-up is about servers, and captures have none" + hint;
  if (line.on_gap) return "--on-gap is about slots, and captures have none";
  if (!is_replay && line.max_changes) return "--max-changes is about lines, and none are printed here";
  if (line.replay.to_lsn && *line.replay.to_lsn <= line.replay.from_lsn) {
    return "--to-lsn: found \"" + line.replay.to_lsn->to_string() + "\"; expected a position beyond --from-lsn " +
           line.replay.from_lsn.to_string();
  }
  return "";
}

CommandLineReply help(const CLI::App& app, const Commands& commands) {
  if (commands.snapshot->parsed()) return {kSnapshotHelp, ExitStatus::kDone};
  if (commands.capture->parsed()) return {kCaptureHelp, ExitStatus::kDone};
  if (commands.replay->parsed()) return {kReplayHelp, ExitStatus::kDone};
  if (commands.config->parsed()) return {kConfigHelp, ExitStatus::kDone};
  if (commands.version->parsed()) return {kVersionHelp, ExitStatus::kDone};
  // App::help() would print the bare command's help after `run`.
  return {app.get_formatter()->make_help(&app, "walcat", CLI::AppFormatMode::Normal), ExitStatus::kDone};
}

}  // namespace

std::variant<CommandLine, CommandLineReply> parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  CLI::App app(kDescription, "walcat");
  app.footer(kFooter);
  app.set_help_flag("-h,--help", "Print this help; after a command, the command's");
  add_input_options(app, line);
  add_bound_options(app, line);
  add_gap_option(app, line);
  add_log_options(app, line);
  const Commands commands = add_commands(app);
  add_snapshot_options(*commands.snapshot, line);
  add_capture_options(commands, line);
  add_replay_options(*commands.replay, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return help(app, commands);
  } catch (const CLI::ExtrasError&) {
    const auto extras = app.remaining(true);
    return usage_error("unknown option or command: " + (extras.empty() ? "" : shown(extras.front())));
  } catch (const CLI::ParseError& error) {
    return usage_error(error.what());
  }
  if (commands.snapshot->parsed()) line.command = Command::kSnapshot;
  if (commands.replay->parsed()) line.command = Command::kReplay;
  if (commands.capture->parsed()) line.command = Command::kCapture;
  if (commands.info->parsed()) line.command = Command::kInfo;
  if (commands.verify->parsed()) line.command = Command::kVerify;
  if (commands.config->parsed()) line.command = Command::kConfig;
  if (commands.version->parsed()) line.command = Command::kVersion;
  if (const std::string wrong = misplaced(line); !wrong.empty()) return usage_error(wrong);
  return line;
}

namespace {

// One database and nothing but its rows, which are no part of what a follower records.
Status apply_dump(const CommandLine& line, Configuration& configuration) {
  auto& databases = configuration.pipeline.databases;
  std::string names;
  for (const DatabaseOptions& database : databases) names += (names.empty() ? "" : ", ") + database.label;
  if (!line.database.empty()) {
    std::erase_if(databases, [&](const DatabaseOptions& database) { return database.label != line.database; });
    if (databases.empty()) {
      return {StatusCode::kConfiguration, "--database: found \"" + line.database + "\"; expected one of " + names};
    }
  }
  if (databases.size() > 1) {
    return {StatusCode::kConfiguration,
            "the configuration has several databases; expected --database with one of " + names};
  }
  DatabaseOptions& database = databases.front();
  database.dump = line.dump;
  configuration.pipeline.capture.reset();
  database.dump->offset_path = std::exchange(database.offset_path, {});
  database.snapshot.mode = SnapshotOptions::Mode::kInitialOnly;
  return Status::ok();
}

// Nothing is printed, so nothing is left out for it.
Status apply_capture(const CommandLine& line, Configuration& configuration) {
  PipelineOptions& pipeline = configuration.pipeline;
  if (pipeline.max_changes) {
    return {StatusCode::kConfiguration, "--max-changes counts lines, and capture prints none; take --until-lsn"};
  }
  if (!pipeline.capture) pipeline.capture.emplace();
  if (!line.capture.path.empty()) pipeline.capture->path = line.capture.path;
  if (line.capture.compress) pipeline.capture->compress = true;
  if (line.capture.rotate_bytes != 0) pipeline.capture->rotate_bytes = line.capture.rotate_bytes;
  const std::string& path = pipeline.capture->path;
  if (path.empty()) return {StatusCode::kConfiguration, "capture: expected -o FILE"};
  ClaimedFiles files;
  claim_files(configuration, files);
  if (const auto earlier = files.claim(path, "-o")) {
    return {StatusCode::kConfiguration, "-o: " + path + " is already the file of " + earlier->owner};
  }
  configuration.writer.path = "/dev/null";
  pipeline.street.stop_after = Room::kDecoder;
  pipeline.serializer.skip.clear();
  for (DatabaseOptions& database : pipeline.databases) database.selection = {};
  return Status::ok();
}

// What is played is not written to, nor is what a run of the configuration needs.
Status check_replay(const CommandLine& line, const Configuration& configuration) {
  ClaimedFiles files;
  for (const std::string& path : line.replay.paths) files.claim(path, "a capture that is played");
  claim_files(configuration, files);
  const auto claim = [&](const char* key, const std::string& path) -> Status {
    const auto earlier = files.claim(path, key);
    if (!earlier) return Status::ok();
    return {StatusCode::kConfiguration, fmt::format("{}: {} is already the file of {}", key, path, earlier->owner)};
  };
  if (line.report_path != "-") {
    if (Status apart = claim("--report", line.report_path); !apart.is_ok()) return apart;
  }
  if (Status apart = check_standard_files(configuration, files); !apart.is_ok()) return apart;
  return claim("output.path", configuration.writer.path);
}

}  // namespace

Status apply_command_line(const CommandLine& command_line, Configuration& configuration) {
  configuration.pipeline.bounds = command_line.bounds;
  configuration.pipeline.max_changes = command_line.max_changes;
  if (command_line.on_gap) {
    for (DatabaseOptions& database : configuration.pipeline.databases) database.on_gap = *command_line.on_gap;
  }
  configuration.log.level = command_line.log_level.value_or(configuration.log.level);
  configuration.log.format = command_line.log_format.value_or(configuration.log.format);
  if (command_line.command == Command::kSnapshot) return apply_dump(command_line, configuration);
  if (command_line.command == Command::kCapture) return apply_capture(command_line, configuration);
  configuration.pipeline.street.stop_after = command_line.stop_after;
  return command_line.command == Command::kReplay ? check_replay(command_line, configuration) : Status::ok();
}

}  // namespace walcat
