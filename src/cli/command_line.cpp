#include "walcat/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "walcat/postgres/conninfo.h"

namespace walcat {

namespace {

constexpr const char* kDescription =
    "cat for PostgreSQL's write-ahead log: follows databases by logical replication and\n"
    "prints every change as one line of JSON on stdout. Logs go to stderr.\n";

constexpr const char* kFooter = R"(
Exit status:
  0   the bound was reached, or SIGINT or SIGTERM asked for a stop
  64  the command line is wrong
  69  every database failed for good
  70  a bug in walcat
  74  the output accepts no more: closed pipe, a device that is full
  78  the configuration is wrong

Signals:
  SIGINT, SIGTERM   stop at the next commit; the second one at once
  SIGUSR1           report on stderr where each database stands, and its errors by kind

Examples:
  walcat                                   follow what config.yaml names
  walcat -c prod.yaml | jq .message.after  look at the new rows
  walcat --until-caught-up > today.jsonl   everything up to now, then stop
  walcat --set output.path=out.jsonl --set log.level=debug
  walcat snapshot --tables public.orders   the rows of a table, now
  walcat config -c prod.yaml               what the file, --set and the environment come to

config/example.yaml in the source shows every key of the configuration.)";

constexpr const char* kConfigHelp = R"(Print the effective configuration.
Usage: walcat config [OPTIONS]

Reads the file, the environment that it names and every --set, checks them, and prints all
effective values as YAML on stdout, passwords masked. Connects to nothing.

Options:
  -c,--config FILE            Configuration file (default: config.yaml)
  --set KEY=VALUE             Override a key of the file: databases.0.slot_name=s1; repeatable
  --log-level, --log-format   Printed as log.level and log.format

Exit status: 0; 64 when the command line is wrong; 74 when stdout accepts no more; 78 when the
configuration is wrong, with one line a fault on stderr.
)";

constexpr const char* kVersionHelp = R"(Print the versions of walcat and of the libpq in use.
Usage: walcat version
)";

constexpr const char* kSnapshotHelp =
    R"(Print the rows of tables as op r: here and now, or between the changes of a running walcat.
Usage: walcat snapshot [OPTIONS]

With --tables, and a walcat that follows the slot: asks it, by a logical message, to read these
tables between the changes, in chunks and without a lock; waits until that is done. The rows come
on its output. Needs a primary key in each table, and PostgreSQL 14.

Otherwise, or with --dump: prints the rows here, as of one moment. Needs no slot and leaves none
behind; a running walcat is not disturbed. Tables are read by snapshot.workers connections, in
chunks of snapshot.chunk_size; SELECT on them is enough.

Options:
  --tables SCHEMA.TABLE,..    Tables to print (default: those of the publication)
  --where SQL                 Only rows for which this holds, in each of the tables
  --database NAME             The entry of the configuration, where there are several
  --dump                      Print here, whoever follows the slot
  --dry-run                   Print what a dump would read, and read nothing
  -c,--config FILE            Configuration file (default: config.yaml)
  --set KEY=VALUE             Override a key of the file; repeatable
  --log-level, --log-format   As in walcat --help

Of a running walcat:
  --rate N                    At most N rows a second (default: as fast as it goes)
  --no-wait                   Leave once the running walcat has accepted
  --pause, --resume, --cancel What was asked for before, all of it

Exit status: as in walcat --help; 69 when the running walcat refuses, with its reason.
)";

std::optional<std::uint64_t> parse_count(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
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
  const auto parse = [](const std::string& text) {
    const auto count = parse_count(text);
    return count && *count > 0 ? count : std::nullopt;
  };
  app.add_option_function<std::string>(
         "--max-changes", into(line.max_changes, "--max-changes", parse, "a number of changes, at least 1"),
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
  CLI::App* snapshot;
  CLI::App* config;
  CLI::App* version;
};

// Options stand on the root alone and fall through to it, so that they may stand on either side of the command.
Commands add_commands(CLI::App& app) {
  app.require_subcommand(0, 1);
  app.fallthrough();
  Commands commands{
      app.add_subcommand("run", "Follow the databases and print their changes (the default)"),
      app.add_subcommand("snapshot", "Print the rows of tables, here or between a running walcat's changes"),
      app.add_subcommand("config", "Print the effective configuration, passwords masked"),
      app.add_subcommand("version", "Print the versions of walcat and libpq")};
  for (CLI::App* command : {commands.run, commands.snapshot, commands.config, commands.version}) command->fallthrough();
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

void add_snapshot_options(CLI::App& command, CommandLine& line) {
  const auto take_tables = [&line](const std::string& text) {
    for (const std::string& part : split_list(text)) {
      const auto table = TableName::parse(part);
      if (!table) throw CLI::ValidationError("--tables", "found \"" + part + "\"; expected schema.table");
      line.dump.tables.push_back(*table);
    }
  };
  CLI::Option* tables = command.add_option_function<std::string>("--tables", take_tables, "Tables to print");
  CLI::Option* where = command.add_option("--where", line.dump.where, "Only rows for which this holds");
  command.add_option("--database", line.database, "The entry of the configuration");
  CLI::Option* dry_run = command.add_flag("--dry-run", line.dry_run, "Print what would be read");
  CLI::Option* dump = command.add_flag("--dump", line.is_dump, "Print here");
  const auto parse = [](const std::string& text) {
    const auto count = parse_count(text);
    return count && *count > 0 ? count : std::nullopt;
  };
  CLI::Option* rate = command.add_option_function<std::string>(
      "--rate", into(line.rows_per_second, "--rate", parse, "a number of rows, at least 1"), "Rows a second");
  CLI::Option* no_wait = command.add_flag("--no-wait", line.no_wait, "Leave once it is accepted");
  for (CLI::Option* here : {dry_run, dump}) here->excludes(rate)->excludes(no_wait);
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

CommandLineReply help(const CLI::App& app, const Commands& commands) {
  if (commands.snapshot->parsed()) return {kSnapshotHelp, ExitStatus::kDone};
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
  if (commands.config->parsed()) line.command = Command::kConfig;
  if (commands.version->parsed()) line.command = Command::kVersion;
  return line;
}

namespace {

// One database and nothing but its rows.
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
  database.offset_path.clear();
  database.snapshot.mode = SnapshotOptions::Mode::kInitialOnly;
  return Status::ok();
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
  return command_line.command == Command::kSnapshot ? apply_dump(command_line, configuration) : Status::ok();
}

}  // namespace walcat
