#include "walcat/cli/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat {
namespace {

using testing::HasSubstr;

std::variant<CommandLine, CommandLineReply> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "walcat");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine parsed(const std::vector<const char*>& words) {
  auto line = parse(words);
  if (const auto* reply = std::get_if<CommandLineReply>(&line)) throw std::runtime_error(reply->text);
  return std::get<CommandLine>(line);
}

std::string refused(const std::vector<const char*>& words) {
  const auto reply = std::get<CommandLineReply>(parse(words));
  EXPECT_EQ(reply.status, ExitStatus::kUsage);
  return reply.text;
}

std::string helped(const std::vector<const char*>& words) {
  const auto reply = std::get<CommandLineReply>(parse(words));
  EXPECT_EQ(reply.status, ExitStatus::kDone);
  return reply.text;
}

TEST(CommandLine, RunsConfigYamlWithoutWords) {
  const auto line = parsed({});
  EXPECT_EQ(line.command, Command::kRun);
  EXPECT_EQ(line.config_path, "config.yaml");
  EXPECT_TRUE(line.overrides.empty());
  EXPECT_FALSE(line.bounds.any());
}

TEST(CommandLine, KnowsItsCommands) {
  EXPECT_EQ(parsed({"run"}).command, Command::kRun);
  EXPECT_EQ(parsed({"snapshot"}).command, Command::kSnapshot);
  EXPECT_EQ(parsed({"config"}).command, Command::kConfig);
  EXPECT_EQ(parsed({"version"}).command, Command::kVersion);
}

TEST(CommandLine, TakesOptionsOnEitherSideOfTheCommand) {
  for (const auto& words :
       std::vector<std::vector<const char*>>{{"-c", "x.yaml", "--set", "a=1", "run", "--set", "b=2"},
                                             {"run", "--config=x.yaml", "--set=a=1", "--set", "b=2"},
                                             {"--set", "a=1", "--set", "b=2", "-c", "x.yaml"}}) {
    const auto line = parsed(words);
    EXPECT_EQ(line.config_path, "x.yaml");
    EXPECT_EQ(line.overrides, (std::vector<std::string>{"a=1", "b=2"}));
  }
}

TEST(CommandLine, KeepsTheCommandApartFromAnOverride) {
  const auto line = parsed({"--set", "databases.0.tables=[a.b, c.d]", "config"});
  EXPECT_EQ(line.command, Command::kConfig);
  EXPECT_EQ(line.overrides, (std::vector<std::string>{"databases.0.tables=[a.b, c.d]"}));
}

TEST(CommandLine, ReadsBounds) {
  EXPECT_EQ(parsed({"--until-lsn", "16/B374D848"}).bounds.until_lsn, (Lsn{0x16B374D848}));
  EXPECT_TRUE(parsed({"run", "--until-caught-up"}).bounds.until_caught_up);
  EXPECT_EQ(parsed({"--max-changes", "10"}).max_changes, 10U);
}

TEST(CommandLine, ReadsLogOptions) {
  const auto line = parsed({"--log-level", "debug", "--log-format=json"});
  Configuration configuration;
  EXPECT_TRUE(apply_command_line(line, configuration).is_ok());
  EXPECT_EQ(configuration.log.level, log::Level::kDebug);
  EXPECT_EQ(configuration.log.format, log::Format::kJson);
}

TEST(CommandLine, LeavesTheFilesLogOptionsAlone) {
  Configuration configuration;
  configuration.log.level = log::Level::kError;
  EXPECT_TRUE(apply_command_line(parsed({"--max-changes=3"}), configuration).is_ok());
  EXPECT_EQ(configuration.log.level, log::Level::kError);
  EXPECT_EQ(configuration.pipeline.max_changes, 3U);
}

TEST(CommandLine, ChoosesForEveryDatabaseWhatFollowsAGap) {
  Configuration configuration;
  configuration.pipeline.databases.resize(2);
  configuration.pipeline.databases[1].on_gap = OnGap::kSnapshot;
  EXPECT_TRUE(apply_command_line(parsed({}), configuration).is_ok());
  EXPECT_EQ(configuration.pipeline.databases[1].on_gap, OnGap::kSnapshot);
  EXPECT_TRUE(apply_command_line(parsed({"run", "--on-gap=continue"}), configuration).is_ok());
  EXPECT_EQ(configuration.pipeline.databases[0].on_gap, OnGap::kContinue);
  EXPECT_EQ(configuration.pipeline.databases[1].on_gap, OnGap::kContinue);
  EXPECT_THAT(refused({"--on-gap", "ignore"}), HasSubstr("found \"ignore\"; expected fail, snapshot or continue"));
}

TEST(CommandLine, ReadsWhatASnapshotPrints) {
  const auto line = parsed({"snapshot", "--tables", R"(public.orders,"My.Shop"."a,b")", "--where", "id > 3", "-c",
                            "x.yaml", "--database", "shop", "--dry-run"});
  EXPECT_EQ(line.command, Command::kSnapshot);
  EXPECT_EQ(line.dump.tables, (std::vector<TableName>{{"public", "orders"}, {"My.Shop", "a,b"}}));
  EXPECT_EQ(line.dump.where, "id > 3");
  EXPECT_EQ(line.database, "shop");
  EXPECT_EQ(line.config_path, "x.yaml");
  EXPECT_TRUE(line.dry_run);
  EXPECT_THAT(refused({"snapshot", "--tables", "orders"}), HasSubstr("found \"orders\"; expected schema.table"));
  EXPECT_THAT(refused({"--dry-run"}), HasSubstr("--dry-run"));
}

TEST(CommandLine, MakesASnapshotOfOneDatabase) {
  const auto two = [] {
    Configuration configuration;
    configuration.pipeline.databases.resize(2);
    configuration.pipeline.databases[0].label = "shop";
    configuration.pipeline.databases[1].label = "stock";
    for (auto& database : configuration.pipeline.databases) database.offset_path = "offset.json";
    return configuration;
  };
  auto chosen = two();
  EXPECT_TRUE(apply_command_line(parsed({"snapshot", "--database", "stock"}), chosen).is_ok());
  ASSERT_EQ(chosen.pipeline.databases.size(), 1U);
  EXPECT_EQ(chosen.pipeline.databases[0].label, "stock");
  EXPECT_TRUE(chosen.pipeline.databases[0].dump.has_value());
  EXPECT_EQ(chosen.pipeline.databases[0].offset_path, "") << "the stream's offset is none of its business";
  auto unclear = two();
  EXPECT_THAT(apply_command_line(parsed({"snapshot"}), unclear).message(), HasSubstr("one of shop, stock"));
  EXPECT_THAT(apply_command_line(parsed({"snapshot", "--database", "x"}), unclear).message(),
              HasSubstr("found \"x\"; expected one of shop, stock"));
}

TEST(CommandLine, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(refused({"record"}), "walcat: unknown option or command: record (see walcat --help)\n");
  EXPECT_EQ(refused({"run", "config"}), "walcat: unknown option or command: config (see walcat --help)\n");
  EXPECT_EQ(refused({"--colour"}), "walcat: unknown option or command: --colour (see walcat --help)\n");
}

TEST(CommandLine, RefusesWrongValues) {
  EXPECT_EQ(refused({"--until-lsn", "123"}),
            "walcat: --until-lsn: found \"123\"; expected a position such as 16/B374D848 (see walcat --help)\n");
  EXPECT_THAT(refused({"--until-lsn", "0/0"}), HasSubstr("--until-lsn"));
  EXPECT_THAT(refused({"--max-changes", "0"}), HasSubstr("at least 1"));
  EXPECT_THAT(refused({"--max-changes", "-1"}), HasSubstr("--max-changes"));
  EXPECT_THAT(refused({"--log-level", "loud"}), HasSubstr("trace, debug, info, warning, error or off"));
  EXPECT_THAT(refused({"--log-format", "xml"}), HasSubstr("text or json"));
  EXPECT_THAT(refused({"-c"}), HasSubstr("--config"));
  EXPECT_EQ(refused({"--set", "novalue"}), "walcat: --set: expected KEY=VALUE (see walcat --help)\n");
}

TEST(CommandLine, RefusesTwoBoundsAtOnce) {
  EXPECT_THAT(refused({"--until-lsn", "0/1", "run", "--until-caught-up"}), HasSubstr("excludes"));
}

TEST(CommandLine, ShowsNoPasswordOfAStrayWord) {
  EXPECT_EQ(refused({"postgres://u:hunter2@h/d"}),
            "walcat: unknown option or command: postgres://u:********@h/d (see walcat --help)\n");
  EXPECT_EQ(refused({"--dsn=postgres://u:hunter2@h/d"}),
            "walcat: unknown option or command: --dsn (see walcat --help)\n");
}

TEST(CommandLine, HelpsWithEveryOptionAndExitStatus) {
  for (const auto& words : std::vector<std::vector<const char*>>{{"--help"}, {"run", "--help"}, {"-h"}}) {
    const std::string help = helped(words);
    for (const char* word :
         {"--config", "--set", "--until-lsn", "--until-caught-up", "--max-changes", "--on-gap", "--log-level",
          "--log-format", "  64 ", "  69 ", "  70 ", "  74 ", "  75 ", "  78 ", "Examples:"}) {
      EXPECT_THAT(help, HasSubstr(word));
    }
  }
  EXPECT_THAT(helped({"config", "--help"}), HasSubstr("passwords masked"));
  EXPECT_THAT(helped({"version", "--help"}), HasSubstr("libpq"));
}

TEST(ExitStatus, FollowsFromWhatEndedTheRun) {
  EXPECT_EQ(exit_status(StatusCode::kOk), ExitStatus::kDone);
  EXPECT_EQ(exit_status(StatusCode::kStopped), ExitStatus::kDone);
  EXPECT_EQ(exit_status(StatusCode::kGap), ExitStatus::kUnavailable);
  EXPECT_EQ(exit_status(StatusCode::kConfiguration), ExitStatus::kConfiguration);
  EXPECT_EQ(exit_status(StatusCode::kOutputFailed), ExitStatus::kOutputFailed);
  EXPECT_EQ(static_cast<int>(exit_status(StatusCode::kInternal)), 70);
}

}  // namespace
}  // namespace walcat
