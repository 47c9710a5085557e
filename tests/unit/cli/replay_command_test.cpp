// What `walcat capture`, `capture info`, `capture verify` and `walcat replay` take, and what does not go together.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "walcat/cli/command_line.h"

namespace walcat {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Words = std::vector<const char*>;
using Tempo = ReplayOptions::Tempo;

std::variant<CommandLine, CommandLineReply> parse(Words words) {
  words.insert(words.begin(), "walcat");
  return parse_command_line(static_cast<int>(words.size()), words.data());
}

CommandLine parsed(const Words& words) {
  auto line = parse(words);
  if (const auto* reply = std::get_if<CommandLineReply>(&line)) throw std::runtime_error(reply->text);
  return std::get<CommandLine>(line);
}

std::string refused(const Words& words) {
  const auto line = parse(words);
  const auto* reply = std::get_if<CommandLineReply>(&line);
  if (reply == nullptr) return "taken";
  EXPECT_EQ(reply->status, ExitStatus::kUsage);
  EXPECT_TRUE(reply->text.ends_with(" (see walcat --help)\n")) << reply->text;
  return reply->text;
}

std::string helped(const Words& words) {
  const auto reply = std::get<CommandLineReply>(parse(words));
  EXPECT_EQ(reply.status, ExitStatus::kDone);
  return reply.text;
}

TEST(ReplayCommand, PlaysFilesAsFastAsItGoes) {
  const auto line = parsed({"replay", "a.wcap", "b.wcap"});
  EXPECT_EQ(line.command, Command::kReplay);
  EXPECT_THAT(line.replay.paths, ElementsAre("a.wcap", "b.wcap"));
  EXPECT_EQ(line.replay.tempo, Tempo::kMost);
  EXPECT_EQ(line.replay.loops, 1U);
  EXPECT_EQ(line.replay.from_lsn, Lsn{});
  EXPECT_FALSE(line.replay.to_lsn.has_value());
  EXPECT_THAT(line.replay.databases, IsEmpty());
  EXPECT_THAT(line.replay_tables, IsEmpty());
  EXPECT_EQ(line.stop_after, Room::kWriter);
  EXPECT_EQ(line.report_path, "");
  EXPECT_THAT(refused({"replay"}), HasSubstr("FILE"));
}

TEST(ReplayCommand, TakesARate) {
  for (const Words& words : std::vector<Words>{
           {"replay", "--rate", "5000", "a"}, {"replay", "--rate=5000/s", "a"}, {"replay", "a", "--rate", "5e3"}}) {
    const auto line = parsed(words);
    EXPECT_EQ(line.replay.tempo, Tempo::kRate);
    EXPECT_EQ(line.replay.rate, 5000);
    EXPECT_THAT(line.replay.paths, ElementsAre("a"));
  }
  EXPECT_EQ(parsed({"replay", "--rate", "0.5", "a"}).replay.rate, 0.5);
  EXPECT_EQ(refused({"replay", "--rate", "fast", "a"}),
            "walcat: --rate: found \"fast\"; expected changes a second, such as 5000 (see walcat --help)\n");
  for (const char* wrong : {"--rate=0", "--rate=-1", "--rate=inf", "--rate=nan", "--rate=5000/m", "--rate=/s",
                            "--rate=", "--rate=1 ", "--rate=1e999"}) {
    EXPECT_THAT(refused({"replay", wrong, "a"}), HasSubstr("--rate")) << wrong;
  }
}

TEST(ReplayCommand, TakesASpeed) {
  const auto line = parsed({"replay", "--speed", "2.5", "a"});
  EXPECT_EQ(line.replay.tempo, Tempo::kRecorded);
  EXPECT_EQ(line.replay.speed, 2.5);
  EXPECT_EQ(refused({"replay", "--speed", "2x", "a"}),
            "walcat: --speed: found \"2x\"; expected a factor such as 1.0 (see walcat --help)\n");
  EXPECT_THAT(refused({"replay", "--speed", "0", "a"}), HasSubstr("--speed"));
}

TEST(ReplayCommand, TakesOneTempo) {
  EXPECT_EQ(parsed({"replay", "--max", "a"}).replay.tempo, Tempo::kMost);
  for (const Words& both : std::vector<Words>{{"replay", "a", "--rate", "1", "--speed", "1"},
                                              {"replay", "a", "--rate", "1", "--max"},
                                              {"replay", "a", "--max", "--speed", "1"}}) {
    EXPECT_THAT(refused(both), HasSubstr("excludes"));
  }
}

TEST(ReplayCommand, TakesHowOften) {
  EXPECT_EQ(parsed({"replay", "--loop", "3", "a"}).replay.loops, 3U);
  EXPECT_EQ(parsed({"replay", "--loop", "0", "a"}).replay.loops, 0U);
  EXPECT_EQ(refused({"replay", "--loop", "x", "a"}),
            "walcat: --loop: found \"x\"; expected how many times, or 0 for ever (see walcat --help)\n");
  EXPECT_THAT(refused({"replay", "--loop=-1", "a"}), HasSubstr("--loop"));
}

TEST(ReplayCommand, TakesWhatIsPlayed) {
  const auto line = parsed({"replay", "--databases", "shop,stock", "--tables", R"(public.orders,"My.Shop"."a,b")",
                            "--from-lsn", "0/100", "--to-lsn", "16/B374D848", "a"});
  EXPECT_THAT(line.replay.databases, ElementsAre("shop", "stock"));
  EXPECT_EQ(line.replay_tables, (std::vector<TableName>{{"public", "orders"}, {"My.Shop", "a,b"}}));
  EXPECT_EQ(line.replay.from_lsn, Lsn{0x100});
  EXPECT_EQ(line.replay.to_lsn, Lsn{0x16B374D848});
  EXPECT_THAT(line.replay.paths, ElementsAre("a"));
  EXPECT_EQ(refused({"replay", "--tables", "orders", "a"}),
            "walcat: --tables: found \"orders\"; expected schema.table (see walcat --help)\n");
  for (const std::string option : {"--from-lsn", "--to-lsn"}) {
    for (const char* wrong : {"123", "0/0", "x/y", "1/123456789"}) {
      EXPECT_EQ(refused({"replay", option.c_str(), wrong, "a"}),
                "walcat: " + option + ": found \"" + wrong +
                    "\"; expected a position such as 16/B374D848 (see walcat --help)\n");
    }
  }
}

TEST(ReplayCommand, PlaysNoEmptyRange) {
  for (const char* from : {"0/100", "0/101"}) {
    EXPECT_EQ(refused({"replay", "--from-lsn", from, "--to-lsn", "0/100", "a"}),
              std::string("walcat: --to-lsn: found \"0/100\"; expected a position beyond --from-lsn ") + from +
                  " (see walcat --help)\n");
  }
  EXPECT_EQ(parsed({"replay", "--from-lsn", "0/FF", "--to-lsn", "0/100", "a"}).replay.to_lsn, Lsn{0x100});
}

// Those of a server's stream are options of every command.
TEST(ReplayCommand, RefusesWhatIsAboutServers) {
  EXPECT_EQ(refused({"replay", "--until-lsn", "0/100", "a"}),
            "walcat: --until-lsn is about servers, and captures have none; a replay may end with --to-lsn or "
            "--max-changes (see walcat --help)\n");
  EXPECT_THAT(refused({"replay", "--until-caught-up", "a"}), HasSubstr("--until-caught-up is about servers"));
  EXPECT_THAT(refused({"--on-gap", "fail", "replay", "a"}), HasSubstr("--on-gap is about slots"));
  for (const char* command : {"info", "verify"}) {
    EXPECT_THAT(refused({"capture", command, "--until-lsn", "0/100", "a"}), HasSubstr("--until-lsn"));
    EXPECT_THAT(refused({"capture", command, "--max-changes", "5", "a"}), HasSubstr("--max-changes"));
  }
}

TEST(ReplayCommand, TakesWhereItEnds) {
  const auto line = parsed({"replay", "--report", "r.json", "--stop-after", "decoder", "a"});
  EXPECT_EQ(line.report_path, "r.json");
  EXPECT_EQ(line.stop_after, Room::kDecoder);
  EXPECT_EQ(parsed({"replay", "--report", "-", "a"}).report_path, "-");
  EXPECT_EQ(parsed({"replay", "--stop-after", "reader", "a"}).stop_after, Room::kReader);
  EXPECT_EQ(parsed({"replay", "--stop-after", "serializer", "a"}).stop_after, Room::kSerializer);
  EXPECT_EQ(refused({"replay", "--stop-after", "parser", "a"}),
            "walcat: --stop-after: found \"parser\"; expected reader, decoder, serializer or writer (see walcat "
            "--help)\n");
  Configuration configuration;
  EXPECT_TRUE(apply_command_line(line, configuration).is_ok());
  EXPECT_EQ(configuration.pipeline.street.stop_after, Room::kDecoder);
}

TEST(ReplayCommand, KeepsFilesApartFromOverrides) {
  for (const Words& words : std::vector<Words>{{"replay", "--set", "output.format=v1", "a"},
                                               {"--set", "output.format=v1", "replay", "a"},
                                               {"replay", "a", "--set", "output.format=v1"}}) {
    const auto line = parsed(words);
    EXPECT_THAT(line.overrides, ElementsAre("output.format=v1"));
    EXPECT_THAT(line.replay.paths, ElementsAre("a"));
  }
  const auto info = parsed({"capture", "info", "--set", "a=b", "x", "y"});
  EXPECT_THAT(info.overrides, ElementsAre("a=b"));
  EXPECT_THAT(info.replay.paths, ElementsAre("x", "y"));
}

TEST(ReplayCommand, StopsAfterAsManyChangesAsAreWanted) {
  Configuration configuration;
  EXPECT_TRUE(apply_command_line(parsed({"replay", "--max-changes", "10", "a"}), configuration).is_ok());
  EXPECT_EQ(configuration.pipeline.max_changes, 10U);
}

TEST(ReplayCommand, HelpsWithEveryOption) {
  for (const char* word : {"--max", "--rate", "--speed", "--loop", "--databases", "--tables", "--from-lsn", "--to-lsn",
                           "--max-changes", "--config", "--set", "--report", "--stop-after", "--log-level"}) {
    EXPECT_THAT(helped({"replay", "--help"}), HasSubstr(word));
  }
}

TEST(CaptureCommand, TakesWhereFramesGo) {
  const auto line = parsed({"capture", "-o", "a.wcap", "--zstd", "--rotate", "1GiB", "--until-lsn", "0/100"});
  EXPECT_EQ(line.command, Command::kCapture);
  EXPECT_EQ(line.capture.path, "a.wcap");
  EXPECT_TRUE(line.capture.compress);
  EXPECT_EQ(line.capture.rotate_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(line.bounds.until_lsn, Lsn{0x100});
  EXPECT_EQ(parsed({"capture", "--output=b"}).capture.path, "b");
  EXPECT_EQ(parsed({"capture", "--rotate", "1MiB"}).capture.rotate_bytes, kSmallestRotation);
  for (const char* wrong : {"big", "0", "1KiB", "1048575", "-1MiB"}) {
    EXPECT_EQ(refused({"capture", (std::string("--rotate=") + wrong).c_str()}),
              std::string("walcat: --rotate: found \"") + wrong +
                  "\"; expected a size such as 1GiB, at least 1MiB (see walcat --help)\n");
  }
  EXPECT_EQ(refused({"capture", "a.wcap"}), "walcat: unknown option or command: a.wcap (see walcat --help)\n");
}

TEST(CaptureCommand, PrintsNothingOfWhatItKeepsAndKeepsAll) {
  Configuration configuration;
  configuration.pipeline.databases.resize(1);
  configuration.pipeline.databases[0].selection.exclude_tables = {"public.secrets"};
  ASSERT_TRUE(apply_command_line(parsed({"capture", "-o", "a.wcap", "--zstd"}), configuration).is_ok());
  ASSERT_TRUE(configuration.pipeline.capture.has_value());
  EXPECT_EQ(configuration.pipeline.capture->path, "a.wcap");
  EXPECT_TRUE(configuration.pipeline.capture->compress);
  EXPECT_EQ(configuration.pipeline.street.stop_after, Room::kDecoder);
  EXPECT_EQ(configuration.pipeline.databases[0].selection, SelectionOptions{});
}

TEST(CaptureCommand, LeavesToTheConfigurationWhatTheWordsDoNotSay) {
  Configuration configuration;
  configuration.pipeline.capture.emplace();
  configuration.pipeline.capture->path = "c.wcap";
  configuration.pipeline.capture->compress = true;
  configuration.pipeline.capture->rotate_bytes = std::uint64_t{1} << 21;
  ASSERT_TRUE(apply_command_line(parsed({"capture"}), configuration).is_ok());
  EXPECT_EQ(configuration.pipeline.capture->path, "c.wcap");
  EXPECT_TRUE(configuration.pipeline.capture->compress);
  EXPECT_EQ(configuration.pipeline.capture->rotate_bytes, std::uint64_t{1} << 21);
}

TEST(CaptureCommand, NeedsAFileOfItsOwn) {
  EXPECT_EQ(refused({"capture", "-o", "-"}),
            "walcat: -o: found \"-\"; expected a file, which can be synced (see walcat --help)\n");
  Configuration configuration;
  configuration.pipeline.databases.resize(1);
  configuration.pipeline.databases[0].label = "shop";
  configuration.pipeline.databases[0].offset_path = "shop.offset";
  EXPECT_EQ(apply_command_line(parsed({"capture", "-o", "shop.offset"}), configuration).message(),
            "-o: shop.offset is already the file of shop");
}

TEST(CaptureCommand, NeedsAFileAndCountsNoLines) {
  Configuration configuration;
  EXPECT_EQ(apply_command_line(parsed({"capture"}), configuration).message(), "capture: expected -o FILE");
  EXPECT_THAT(apply_command_line(parsed({"capture", "-o", "a", "--max-changes", "3"}), configuration).message(),
              AllOf(HasSubstr("--max-changes"), HasSubstr("--until-lsn")));
}

TEST(CaptureCommand, ReadsCaptures) {
  const auto info = parsed({"capture", "info", "--json", "a", "b"});
  EXPECT_EQ(info.command, Command::kInfo);
  EXPECT_TRUE(info.as_json);
  EXPECT_THAT(info.replay.paths, ElementsAre("a", "b"));
  const auto verify = parsed({"capture", "verify", "a"});
  EXPECT_EQ(verify.command, Command::kVerify);
  EXPECT_THAT(verify.replay.paths, ElementsAre("a"));
  EXPECT_THAT(refused({"capture", "info"}), HasSubstr("FILE"));
  EXPECT_THAT(refused({"capture", "verify"}), HasSubstr("FILE"));
  EXPECT_EQ(refused({"capture", "verify", "--json", "a"}),
            "walcat: unknown option or command: --json (see walcat --help)\n");
}

TEST(CaptureCommand, HelpsWithEveryOption) {
  for (const Words& words : std::vector<Words>{{"capture", "--help"}, {"capture", "info", "-h"}}) {
    for (const char* word : {"--output", "--zstd", "--rotate", "info", "verify", "--json"}) {
      EXPECT_THAT(helped(words), HasSubstr(word));
    }
  }
}

}  // namespace
}  // namespace walcat
