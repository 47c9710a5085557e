// What `walcat snapshot` takes: of a dump, of a walcat that runs, and what does not go together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "walcat/cli/command_line.h"

namespace walcat {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Words = std::vector<const char*>;

std::variant<CommandLine, CommandLineReply> parse(const Words& options) {
  Words words{"walcat", "snapshot"};
  words.insert(words.end(), options.begin(), options.end());
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine parsed(const Words& options) {
  auto line = parse(options);
  if (const auto* reply = std::get_if<CommandLineReply>(&line)) throw std::runtime_error(reply->text);
  return std::get<CommandLine>(line);
}

std::string refused(const Words& options) {
  const auto line = parse(options);
  const auto* reply = std::get_if<CommandLineReply>(&line);
  if (reply == nullptr) return "taken";
  EXPECT_EQ(reply->status, ExitStatus::kUsage);
  return reply->text;
}

TEST(SnapshotCommand, AsksForTablesUnlessToldOtherwise) {
  const auto line = parsed({"--tables", "public.t"});
  EXPECT_EQ(line.command, Command::kSnapshot);
  EXPECT_FALSE(line.ask.has_value());
  EXPECT_FALSE(line.rows_per_second.has_value());
  EXPECT_FALSE(line.is_dump);
  EXPECT_FALSE(line.no_wait);
  EXPECT_FALSE(line.timeout);
}

TEST(SnapshotCommand, TakesWhatARunningWalcatIsAsked) {
  const auto line = parsed({"--tables", "public.t,public.u", "--where", "id > 3", "--rate", "500", "--no-wait"});
  EXPECT_EQ(line.dump.tables, (std::vector<TableName>{{"public", "t"}, {"public", "u"}}));
  EXPECT_EQ(line.dump.where, "id > 3");
  EXPECT_EQ(line.rows_per_second, 500U);
  EXPECT_TRUE(line.no_wait);
}

TEST(SnapshotCommand, DumpsWhereItIsToldTo) {
  const auto line = parsed({"--dump", "--tables", "public.t", "--where", "true", "--dry-run"});
  EXPECT_TRUE(line.is_dump);
  EXPECT_TRUE(line.dry_run);
}

TEST(SnapshotCommand, PausesResumesAndCancels) {
  EXPECT_EQ(parsed({"--pause"}).ask, SnapshotSignal::Kind::kPause);
  EXPECT_EQ(parsed({"--resume"}).ask, SnapshotSignal::Kind::kResume);
  EXPECT_EQ(parsed({"--cancel", "--database", "shop", "-c", "x.yaml"}).ask, SnapshotSignal::Kind::kCancel);
}

TEST(SnapshotCommand, KeepsADumpApartFromAQuestion) {
  for (const char* here : {"--dump", "--dry-run"}) {
    EXPECT_THAT(refused({here, "--rate", "5"}), AllOf(HasSubstr(here), HasSubstr("--rate"))) << here;
    EXPECT_THAT(refused({here, "--no-wait"}), AllOf(HasSubstr(here), HasSubstr("--no-wait"))) << here;
    for (const char* ask : {"--pause", "--resume", "--cancel"}) {
      EXPECT_THAT(refused({here, ask}), AllOf(HasSubstr(here), HasSubstr(ask))) << here << ask;
    }
  }
}

TEST(SnapshotCommand, KeepsQuestionsApart) {
  for (const char* ask : {"--pause", "--resume", "--cancel"}) {
    for (const Words& other : std::vector<Words>{{"--tables", "public.t"}, {"--where", "true"}}) {
      EXPECT_THAT(refused({ask, other[0], other[1]}), AllOf(HasSubstr(ask), HasSubstr(other[0]))) << ask << other[0];
      EXPECT_THAT(refused({other[0], other[1], ask}), AllOf(HasSubstr(ask), HasSubstr(other[0]))) << ask << other[0];
    }
    EXPECT_THAT(refused({ask, "--rate", "5"}), HasSubstr("--rate")) << ask;
    EXPECT_THAT(refused({ask, "--no-wait"}), HasSubstr("--no-wait")) << ask;
  }
  EXPECT_THAT(refused({"--pause", "--resume"}), HasSubstr("excludes"));
  EXPECT_THAT(refused({"--resume", "--cancel"}), HasSubstr("excludes"));
  EXPECT_THAT(refused({"--cancel", "--pause"}), HasSubstr("excludes"));
}

TEST(SnapshotCommand, TakesARateOfAtLeastOneRow) {
  EXPECT_EQ(parsed({"--tables", "a.b", "--rate", "1"}).rows_per_second, 1U);
  EXPECT_EQ(parsed({"--tables", "a.b", "--rate=18446744073709551615"}).rows_per_second, ~std::uint64_t{0});
  for (const char* rate : {"0", "-1", "1.5", "1k", "", " 1", "18446744073709551616", "fast"}) {
    EXPECT_THAT(refused({"--tables", "a.b", "--rate", rate}),
                AllOf(HasSubstr("--rate"), HasSubstr("a number of rows, at least 1")))
        << rate;
  }
  EXPECT_THAT(refused({"--tables", "a.b", "--rate"}), HasSubstr("--rate"));
}

TEST(SnapshotCommand, IsTheOnlyOneToTakeThem) {
  for (const char* option : {"--dump", "--no-wait", "--pause", "--resume", "--cancel"}) {
    const Words words{"walcat", "run", option};
    const auto line = parse_command_line(static_cast<int>(words.size()), words.data());
    const auto* reply = std::get_if<CommandLineReply>(&line);
    ASSERT_NE(reply, nullptr) << option;
    EXPECT_THAT(reply->text, HasSubstr(option));
  }
}

TEST(SnapshotCommand, HelpsWithEveryOption) {
  const auto reply = std::get<CommandLineReply>(parse({"--help"}));
  EXPECT_EQ(reply.status, ExitStatus::kDone);
  for (const char* option : {"--tables", "--where", "--database", "--dump", "--dry-run", "--rate", "--no-wait",
                             "--timeout", "--pause", "--resume", "--cancel", "--config", "--set"}) {
    EXPECT_THAT(reply.text, HasSubstr(option));
  }
}

}  // namespace
}  // namespace walcat
