#include "walcat/config/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kTwoDatabases = R"(connector_name: "go-cdc"
flush_interval: 10s
offset_file: "offset.json"
inactive_slot_check: true
retry_config: {max_retries: 3, initial_backoff: 1s, max_backoff: 30s, backoff_multiplier: 2.0}
databases:
  - conn_str: "postgres://user1:pass1@host1:5432/db1"
    slot_name: "slot1"
    publication_name: "pub1"
    tables: ["schema1.table1", "schema1.table2"]
  - conn_str: "postgres://user2:pass2@host2:5432/db2"
    slot_name: "slot2"
    publication_name: "pub2"
    tables: ["schema2.table1"]
)";

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Configuration, ReadsTheFileOfTheReadme) {
  const auto configuration = parsed(kTwoDatabases);
  const auto& pipeline = configuration.pipeline;
  EXPECT_EQ(pipeline.serializer.connector_name, "go-cdc");
  EXPECT_EQ(pipeline.flush_interval, seconds(10));
  EXPECT_EQ(pipeline.retry.max_retries, 3U);
  EXPECT_EQ(pipeline.retry.initial_backoff, seconds(1));
  EXPECT_EQ(pipeline.retry.max_backoff, seconds(30));
  EXPECT_EQ(pipeline.retry.backoff_multiplier, 2.0);
  ASSERT_EQ(pipeline.databases.size(), 2U);
  const auto& first = pipeline.databases[0];
  EXPECT_EQ(first.label, "db1/slot1");
  EXPECT_EQ(first.conn_str, "postgres://user1:pass1@host1:5432/db1");
  EXPECT_EQ(first.slot_name, "slot1");
  EXPECT_EQ(first.publication_name, "pub1");
  EXPECT_EQ(first.tables, (std::vector<TableName>{{"schema1", "table1"}, {"schema1", "table2"}}));
  EXPECT_EQ(first.offset_path, "offset_slot1.json");
  EXPECT_TRUE(first.inactive_slot_check);
  EXPECT_EQ(first.configured_slots, (std::vector<std::string>{"slot1", "slot2"}));
  EXPECT_EQ(pipeline.databases[1].offset_path, "offset_slot2.json");
}

TEST(Configuration, LeavesDefaultsOfKeysNotWritten) {
  const auto configuration = parsed(kOneDatabase);
  EXPECT_EQ(configuration.pipeline.serializer.connector_name, "walcat");
  EXPECT_EQ(configuration.pipeline.shutdown_timeout, seconds(10));
  EXPECT_EQ(configuration.pipeline.street.memory_limit, std::size_t{32} << 20);
  EXPECT_TRUE(configuration.pipeline.databases[0].tables.empty());
  EXPECT_FALSE(configuration.pipeline.databases[0].inactive_slot_check);
  EXPECT_EQ(configuration.pipeline.databases[0].on_gap, OnGap::kFail);
  EXPECT_EQ(configuration.pipeline.databases[0].on_keyless, OnKeyless::kRefuse);
  EXPECT_EQ(configuration.pipeline.databases[0].heartbeat_interval, seconds(0));
  EXPECT_EQ(configuration.pipeline.databases[0].wal_guard.interval, seconds(30));
  EXPECT_EQ(configuration.pipeline.databases[0].wal_guard.warn_at,
            (std::vector<std::uint64_t>{std::uint64_t{1} << 30, std::uint64_t{10} << 30}));
  EXPECT_EQ(configuration.writer.path, "");
}

TEST(Configuration, ReadsEverySection) {
  const auto configuration = parsed(kOneDatabase +
                                    "output: {path: out.jsonl, envelope: message, values: text, position: false}\n"
                                    "pipeline: {decoders: 2, serializers: 3, batch_bytes: 64KiB, memory_limit: 32MB}\n"
                                    "log: {level: warning, format: json}\n"
                                    "shutdown_timeout: 0s\n");
  EXPECT_EQ(configuration.writer.path, "out.jsonl");
  EXPECT_EQ(configuration.pipeline.serializer.values, Values::kText);
  EXPECT_FALSE(configuration.pipeline.serializer.position);
  EXPECT_EQ(configuration.pipeline.street.decoders, 2U);
  EXPECT_EQ(configuration.pipeline.street.serializers, 3U);
  EXPECT_EQ(configuration.pipeline.street.batch_bytes, 65'536U);
  EXPECT_EQ(configuration.pipeline.street.memory_limit, 32'000'000U);
  EXPECT_EQ(configuration.log.level, log::Level::kWarning);
  EXPECT_EQ(configuration.log.format, log::Format::kJson);
  EXPECT_EQ(configuration.pipeline.shutdown_timeout, seconds(0));
}

TEST(Configuration, TakesSectionsWhoseKeysAreAllCommentedOut) {
  EXPECT_EQ(faults(kOneDatabase + "output:\n  # path: x\nlog:\n"), "");
}

TEST(Configuration, FollowsAliases) {
  const auto configuration = parsed(
      "databases:\n"
      "  - {conn_str: 'host=a', slot_name: s1, publication_name: p, tables: &t [a.b]}\n"
      "  - {conn_str: 'host=b', slot_name: s2, publication_name: p, tables: *t}\n");
  EXPECT_EQ(configuration.pipeline.databases[1].tables, (std::vector<TableName>{{"a", "b"}}));
}

TEST(Configuration, KeepsCapitalsAndDotsOfQuotedTables) {
  const auto configuration = parsed(kOneDatabase + R"(    tables: ['"My.Schema"."Order ""x"""', 'Public.Orders'])");
  EXPECT_EQ(configuration.pipeline.databases[0].tables,
            (std::vector<TableName>{{"My.Schema", "Order \"x\""}, {"public", "orders"}}));
}

TEST(Configuration, PutsTheSlotIntoTheOffsetFile) {
  const auto path = [](const std::string& base) {
    return parsed("offset_file: " + base + "\n" + kOneDatabase).pipeline.databases[0].offset_path;
  };
  EXPECT_EQ(path("offset.json"), "offset_s.json");
  EXPECT_EQ(path("/var/lib/walcat/offset.json"), "/var/lib/walcat/offset_s.json");
  EXPECT_EQ(path("state.d/offset"), "state.d/offset_s");
  EXPECT_EQ(path("a.tar.json"), "a.tar_s.json");
  EXPECT_EQ(path(".offset"), ".offset_s");
}

TEST(Configuration, TakesADatabasesOwnOffsetFileAsItStands) {
  const auto configuration = parsed(kOneDatabase + "    offset_file: /var/x.json\n");
  EXPECT_EQ(configuration.pipeline.databases[0].offset_path, "/var/x.json");
}

TEST(Configuration, NamesFilesOfDeadLettersLikeOffsetFiles) {
  const auto path = [](const std::string& top, const std::string& entry) {
    return parsed(top + kOneDatabase + entry).pipeline.databases[0].dead_letter_path;
  };
  EXPECT_EQ(path("", ""), "dead_letters_s.wcap");
  EXPECT_EQ(path("dead_letter_file: /var/dead.wcap\n", ""), "/var/dead_s.wcap");
  EXPECT_EQ(path("", "    dead_letter_file: /var/x.wcap\n"), "/var/x.wcap");
}

TEST(Configuration, TakesOnKeylessOfTheEntryBeforeThatOfTheTopLevel) {
  const auto both = [](const std::string& top, const std::string& second) {
    const auto databases = parsed(top + kTwoDatabases + second).pipeline.databases;
    return std::pair(databases[0].on_keyless, databases[1].on_keyless);
  };
  constexpr auto kRefuse = OnKeyless::kRefuse, kPublish = OnKeyless::kPublish;
  EXPECT_EQ(both("", ""), std::pair(kRefuse, kRefuse));
  EXPECT_EQ(both("on_keyless: publish\n", ""), std::pair(kPublish, kPublish));
  EXPECT_EQ(both("on_keyless: publish\n", "    on_keyless: refuse\n"), std::pair(kPublish, kRefuse));
  EXPECT_EQ(both("", "    on_keyless: publish\n"), std::pair(kRefuse, kPublish));
  EXPECT_THAT(faults(kOneDatabase + "    on_keyless: continue\n"),
              HasSubstr("databases[0].on_keyless: found \"continue\"; expected refuse or publish"));
}

TEST(Configuration, TellsEqualLabelsApartByServer) {
  const auto configuration = parsed(
      "databases:\n"
      "  - {conn_str: 'postgres://u@a/d', slot_name: s, publication_name: p}\n"
      "  - {conn_str: 'postgres://u@b:5433/d', slot_name: s, publication_name: p, offset_file: other.json}\n"
      "  - {conn_str: 'postgres://u@b:5433/d', slot_name: t, publication_name: p, name: third}\n");
  EXPECT_EQ(configuration.pipeline.databases[0].label, "d/s@a:5432");
  EXPECT_EQ(configuration.pipeline.databases[1].label, "d/s@b:5433");
  EXPECT_EQ(configuration.pipeline.databases[2].label, "third");
}

TEST(Configuration, NamesADatabaseOfAServiceByTheService) {
  const auto configuration = parsed(
      "databases:\n"
      "  - {conn_str: service=shop, slot_name: s, publication_name: p}\n"
      "  - {conn_str: service=bank, slot_name: s, publication_name: p, offset_file: o.json}\n");
  EXPECT_EQ(configuration.pipeline.databases[0].label, "shop/s");
  EXPECT_EQ(configuration.pipeline.databases[1].label, "bank/s");
}

TEST(Configuration, PrintsWhatItReads) {
  const std::string printed = print_configuration(parsed(
      kTwoDatabases,
      {"output.path=a b$${x}.jsonl", "log.level=off", "pipeline.batch_bytes=4096", "databases.1.tables=['\"T\".x']",
       "flush_interval=90s", "on_gap=continue", "databases.1.on_keyless=publish", "on_poison=dead_letter",
       "on_lost_rule=mask", "databases.1.dead_letter_file=d.wcap", "two_phase=true", "heartbeat_interval=1m",
       "wal_guard={interval: 5s, warn_at: [64MiB]}"}));
  EXPECT_EQ(print_configuration(parsed(printed)), printed);
  const auto again = parsed(printed);
  EXPECT_EQ(again.writer.path, "a b${x}.jsonl");
  EXPECT_EQ(again.log.level, log::Level::kOff);
  EXPECT_EQ(again.pipeline.flush_interval, seconds(90));
  EXPECT_EQ(again.pipeline.databases[1].on_gap, OnGap::kContinue);
  EXPECT_EQ(again.pipeline.databases[0].on_keyless, OnKeyless::kRefuse);
  EXPECT_EQ(again.pipeline.databases[1].on_keyless, OnKeyless::kPublish);
  EXPECT_EQ(again.pipeline.databases[1].on_poison, OnPoison::kDeadLetter);
  EXPECT_EQ(again.pipeline.databases[1].on_lost_rule, OnLostRule::kMask);
  EXPECT_EQ(again.pipeline.databases[0].dead_letter_path, "dead_letters_slot1.wcap");
  EXPECT_EQ(again.pipeline.databases[1].dead_letter_path, "d.wcap");
  EXPECT_EQ(again.pipeline.databases[1].heartbeat_interval, seconds(60));
  EXPECT_TRUE(again.pipeline.databases[1].two_phase);
  EXPECT_EQ(again.pipeline.databases[1].wal_guard.interval, seconds(5));
  EXPECT_EQ(again.pipeline.databases[1].wal_guard.warn_at, (std::vector<std::uint64_t>{std::uint64_t{64} << 20}));
  EXPECT_EQ(again.pipeline.street.batch_bytes, 4096U);
  EXPECT_EQ(again.pipeline.databases[0].label, "db1/slot1");
  EXPECT_EQ(again.pipeline.databases[0].offset_path, "offset_slot1.json");
  EXPECT_EQ(again.pipeline.databases[1].tables, (std::vector<TableName>{{"T", "x"}}));
  EXPECT_TRUE(again.pipeline.databases[1].inactive_slot_check);
}

TEST(Configuration, PrintsNoPassword) {
  const std::string printed = print_configuration(parsed(kTwoDatabases));
  EXPECT_THAT(printed, Not(HasSubstr("pass1")));
  EXPECT_THAT(printed, HasSubstr("postgres://user1:********@host1:5432/db1"));
}

// Keys of a YAML text in their order, comments aside, whatever stands before them on the line.
std::vector<std::string> keys_of(const std::string& yaml) {
  std::vector<std::string> keys;
  std::istringstream lines(yaml);
  for (std::string line; std::getline(lines, line);) {
    const auto start = line.find_first_not_of(" -");
    const auto colon = line.find(':');
    if (start != std::string::npos && line[start] != '#') keys.push_back(line.substr(start, colon - start));
  }
  return keys;
}

TEST(ExampleFile, ShowsEveryKeyWithItsDefault) {
  const std::string example = file_text(WALCAT_SOURCE_ROOT "/config/example.yaml");
  const std::string printed = print_configuration(parsed(example));
  auto keys = keys_of(example);
  // The keys that are printed as what follows from them.
  for (const char* key : {"offset_file", "on_keyless", "dead_letter_file"})
    keys.erase(std::find(keys.begin(), keys.end(), key));
  EXPECT_EQ(keys, keys_of(printed));
  const auto from_databases = example.find("\ndatabases:");
  const auto to_output = example.find("\n# The lines.");
  const std::string databases_alone = example.substr(from_databases, to_output - from_databases);
  EXPECT_EQ(print_configuration(parsed(databases_alone)), printed);
}

TEST(LoadConfiguration, ReadsAFile) {
  const std::string path = testing::TempDir() + "walcat_configuration_test.yaml";
  std::ofstream(path) << kTwoDatabases;
  EXPECT_TRUE(load_configuration(path, {}).is_ok());
  std::remove(path.c_str());
}

TEST(LoadConfiguration, SaysHowToNameAnotherFile) {
  const auto status = load_configuration("no/such/config.yaml", {}).status();
  EXPECT_EQ(status.code(), StatusCode::kConfiguration);
  EXPECT_THAT(status.message(), HasSubstr("no/such/config.yaml: cannot be read: No such file or directory"));
  EXPECT_THAT(status.message(), HasSubstr("-c FILE"));
  EXPECT_THAT(load_configuration("/", {}).status().message(), HasSubstr("/: cannot be read: Is a directory"));
}

}  // namespace
}  // namespace walcat::test
