#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "configuration_fixture.h"
#include "walcat/base/utf8.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// A configuration with one thing wrong, and its whole answer.
struct Wrong {
  std::string name;
  std::string text;
  std::string answer;
};

// Not its text: a byte that is no UTF-8 would break the report in which the case is listed.
void PrintTo(const Wrong& wrong, std::ostream* out) { *out << wrong.name; }

std::string database(const std::string& lines) { return "databases:\n  - " + lines; }

const std::vector<Wrong>& wrong_files() {
  static const std::string start = "databases:\n  - {conn_str: host=h dbname=d, slot_name: s, publication_name: p";
  static const std::string duration = "; expected a duration with its unit (500ms, 10s, 5m, 1h), from 1ms to 24h";
  static const std::vector<Wrong> files = {
      {"Empty", "", "1:1: databases: missing; expected a list with an entry for each database to follow"},
      {"CommentsOnly", "# x\n", "1:1: databases: missing; expected a list with an entry for each database to follow"},
      {"NoDatabases", "flush_interval: 1s\n",
       "1:1: databases: missing; expected a list with an entry for each database to follow"},
      {"EmptyList", "databases: []\n",
       "1:12: databases: found an empty list; expected a list with an entry for each database to follow"},
      {"ListLeftOut", "log: {}\ndatabases:\n",
       "2:1: databases: found nothing (null); expected a list with an entry for each database to follow"},
      {"NotAMapping", "- a\n", "1:1: found a list; expected a mapping with keys such as connector_name"},
      {"EntryIsText", "databases: [abc]\n",
       "1:13: databases[0]: found \"abc\"; expected a mapping with keys such as conn_str"},
      {"UnknownKey", kOneDatabase + "flush_intervall: 1s\n",
       "5:1: flush_intervall: unknown key; did you mean flush_interval?"},
      {"UnknownKeyInEntry", database("conn_str: host=h\n    slot_nam: s\n    publication_name: p\n"),
       "3:5: databases[0].slot_nam: unknown key; did you mean slot_name?"},
      {"UnknownKeyFarFromAll", kOneDatabase + "log: {colour: red}\n",
       "5:7: log.colour: unknown key; known here: level, format"},
      {"KeyTwice", "flush_interval: 1s\n" + kOneDatabase + "flush_interval: 2s\n",
       "6:1: flush_interval: key is already there at 1:1"},
      {"MergeKey", kOneDatabase + "    <<: {tables: [a.b]}\n",
       "5:5: databases[0].<<: merge keys are not supported; write the keys out"},
      {"MissingKey", database("conn_str: host=h\n    publication_name: p\n"),
       "2:5: databases[0].slot_name: missing; expected 1 to 63 of a-z, 0-9 and _, in quotes if it looks like a number"},
      {"DurationWithoutUnit", kOneDatabase + "flush_interval: 10\n",
       "5:17: flush_interval: found the number 10" + duration},
      {"DurationOfZero", kOneDatabase + "flush_interval: 0s\n", "5:17: flush_interval: found \"0s\"" + duration},
      {"DurationIsAList", kOneDatabase + "flush_interval: [1s]\n", "5:17: flush_interval: found a list" + duration},
      {"YesIsNoBoolean", kOneDatabase + "inactive_slot_check: yes\n",
       "5:22: inactive_slot_check: found \"yes\"; expected true or false"},
      {"QuotedBoolean", kOneDatabase + "inactive_slot_check: \"true\"\n",
       "5:22: inactive_slot_check: found the text \"true\"; expected true or false"},
      {"OctalInteger", kOneDatabase + "retry_config: {max_retries: 010}\n",
       "5:29: retry_config.max_retries: found the number 010; expected an integer from 0 to 1000000, without quotes or "
       "leading zeros"},
      {"NegativeInteger", kOneDatabase + "pipeline: {decoders: -1}\n",
       "5:22: pipeline.decoders: found the number -1; expected an integer from 0 to 256, without quotes or leading "
       "zeros"},
      {"QuotedInteger", kOneDatabase + "pipeline: {decoders: '1'}\n",
       "5:22: pipeline.decoders: found the text \"1\"; expected an integer from 0 to 256, without quotes or leading "
       "zeros"},
      {"MultiplierBelowOne", kOneDatabase + "retry_config: {backoff_multiplier: 0.5}\n",
       "5:36: retry_config.backoff_multiplier: found the number 0.5; expected a number from 1 to 1000, without quotes"},
      {"MultiplierNotFinite", kOneDatabase + "retry_config: {backoff_multiplier: inf}\n",
       "5:36: retry_config.backoff_multiplier: found \"inf\"; expected a number from 1 to 1000, without quotes"},
      {"BackoffsCrossed", kOneDatabase + "retry_config: {initial_backoff: 5s, max_backoff: 1s}\n",
       "5:50: retry_config.max_backoff: max_backoff is 1s and initial_backoff is 5s; expected max_backoff to be no "
       "shorter"},
      {"BackoffOverTheDefault", kOneDatabase + "retry_config: {initial_backoff: 1m}\n",
       "5:33: retry_config.initial_backoff: max_backoff is 30s and initial_backoff is 1m; expected max_backoff to be "
       "no shorter"},
      {"TooLittleMemory", kOneDatabase + "pipeline: {memory_limit: 1MiB}\n",
       "5:26: pipeline.memory_limit: found \"1MiB\"; expected a number of bytes (4096, 64KiB, 32MB), from 4MiB to "
       "1024GiB"},
      {"BatchTooSmall", kOneDatabase + "pipeline: {batch_bytes: 1}\n",
       "5:25: pipeline.batch_bytes: found the number 1; expected a number of bytes (4096, 64KiB, 32MB), from 4KiB to "
       "64MiB, or 0 for automatic"},
      {"UnknownWord", kOneDatabase + "output: {values: natve}\n",
       "5:18: output.values: found \"natve\"; expected native, text or debezium"},
      {"NullText", "connector_name:\n" + kOneDatabase,
       "1:1: connector_name: found nothing (null); expected text of 1 to 255 bytes, in quotes if it looks like a "
       "number"},
      {"NumberAsText", "connector_name: 42\n" + kOneDatabase,
       "1:17: connector_name: found the number 42; expected text of 1 to 255 bytes, in quotes if it looks like a "
       "number"},
      {"SlotWithCapitals", database("conn_str: host=h\n    slot_name: Slot-1\n    publication_name: p\n"),
       "3:16: databases[0].slot_name: found \"Slot-1\"; expected 1 to 63 of a-z, 0-9 and _, in quotes if it looks like "
       "a number"},
      {"SlotIsANumber", database("conn_str: host=h\n    slot_name: 1\n    publication_name: p\n"),
       "3:16: databases[0].slot_name: found the number 1; expected 1 to 63 of a-z, 0-9 and _, in quotes if it looks "
       "like a number"},
      {"NoTables", start + ", tables: []}\n",
       "2:76: databases[0].tables: found an empty list; expected a list of schema.table; without the key, all tables "
       "are followed"},
      {"TableWithoutSchema", start + ", tables: [orders]}\n",
       "2:77: databases[0].tables[0]: found \"orders\"; expected schema.table; a name with capitals or dots like "
       "'\"My.Schema\".orders'"},
      {"TableTwice", start + ", tables: [a.b, a.c, A.B]}\n",
       "2:87: databases[0].tables[2]: \"a.b\" is already there at 2:77"},
      {"OffsetFileIsAFolder", kOneDatabase + "offset_file: state/\n",
       "5:14: offset_file: found \"state/\"; expected the path of a file"},
      {"SlotTwiceOnOneServer", start + "}\n  - {conn_str: 'postgres://h:5432/e', slot_name: s, publication_name: p}\n",
       "3:50: databases[1].slot_name: slot \"s\" on h:5432 is already followed by databases[0]; a slot serves one "
       "entry"},
      {"OffsetFileTwice", start + "}\n  - {conn_str: host=other, slot_name: s, publication_name: p}\n",
       "3:39: databases[1].slot_name: its offset file \"offset_s.json\" is already the file of databases[0]; set "
       "databases[1].offset_file to another"},
      {"OutputIsAnOffsetFile", kOneDatabase + "output: {path: ./offset_s.json}\n",
       "3:16: databases[0].slot_name: its offset file \"offset_s.json\" is already the file of output.path; set "
       "databases[0].offset_file to another"},
      {"DeadLettersTwice",
       "on_poison: dead_letter\n" + start +
           ", offset_file: a.json}\n  - {conn_str: host=other, slot_name: s, publication_name: p, offset_file: "
           "b.json}\n",
       "4:39: databases[1].slot_name: its file of dead letters \"dead_letters_s.wcap\" is already the file of "
       "databases[0]; set databases[1].dead_letter_file to another"},
      {"NameTwice", start + ", name: x}\n  - {conn_str: host=i, slot_name: t, publication_name: p, name: x}\n",
       "3:65: databases[1].name: \"x\" is already the name of databases[0]"},
      {"ConnStrEmpty", database("conn_str: ''\n    slot_name: s\n    publication_name: p\n"),
       "2:15: databases[0].conn_str: found the text \"\"; expected a libpq connection string, such as "
       "postgres://user@host:5432/dbname"},
      {"ConnStrWithUnknownOption", database("conn_str: hots=h\n    slot_name: s\n    publication_name: p\n"),
       "2:15: databases[0].conn_str: libpq: invalid connection option \"hots\""},
      {"VariableNotSet", kOneDatabase + "connector_name: ${WALCAT_TEST_NOT_SET}\n",
       "5:17: connector_name: environment variable WALCAT_TEST_NOT_SET is not set; set it or write "
       "${WALCAT_TEST_NOT_SET:-default}"},
      {"VariableNotClosed", kOneDatabase + "connector_name: a${B\n",
       "5:17: connector_name: ${ must be followed by NAME} or NAME:-default}; write $${ for a literal ${"},
      {"SecondDocument", kOneDatabase + "---\na: 1\n",
       "5:1: cannot be read as YAML: a second document; one file holds one configuration"},
      {"NotYaml", "a: b: c\n", "1:5: cannot be read as YAML: illegal map value"},
      {"Tag", "a: !include b\n", "1:4: cannot be read as YAML: tags are not supported"},
      {"KeyIsAList", "? [a]\n: b\n", "1:3: cannot be read as YAML: a key that is not text"},
      {"AliasOfItself", "a: &x [*x]\n", "1:8: cannot be read as YAML: an alias inside the value that it names"},
      {"NotUtf8", "a: b\nc: \xff\n", "2:4: bytes that are not UTF-8"},
      {"EndOfFileByte", "a: b\x04\n", "1:5: a control character"},
  };
  return files;
}

class WrongFile : public testing::TestWithParam<Wrong> {};

TEST_P(WrongFile, IsAnsweredByOneLine) {
  const Wrong& wrong = GetParam();
  const auto result = parse(wrong.text);
  EXPECT_EQ(result.status().code(), StatusCode::kConfiguration);
  EXPECT_EQ(result.status().message(), "c.yaml:" + wrong.answer);
}

INSTANTIATE_TEST_SUITE_P(Configuration, WrongFile, testing::ValuesIn(wrong_files()),
                         [](const auto& info) { return info.param.name; });

TEST(Faults, AreToldTogetherInTheOrderOfTheFile) {
  EXPECT_EQ(faults("flush_interval: 1\nlog: {levl: info}\ndatabases: []\n", {"output.path=[]"}),
            "c.yaml:1:17: flush_interval: found the number 1; expected a duration with its unit (500ms, 10s, 5m, 1h), "
            "from 1ms to 24h\n"
            "c.yaml:2:7: log.levl: unknown key; did you mean level?\n"
            "c.yaml:3:12: databases: found an empty list; expected a list with an entry for each database to follow\n"
            "--set output.path=[]: output.path: found an empty list; expected the path of a file, or - for stdout");
}

TEST(Faults, NeverShowAPassword) {
  const std::vector<std::string> texts = {
      database("conn_str: 'postgres://u:hunter2@h:x y/d?foo=bar'\n    slot_name: s\n    publication_name: p\n"),
      database("conn_str: 'postgres://u:%hunter2@h/d'\n    slot_name: s\n    publication_name: p\n"),
      database("conn_str: 'host=h password=a hunter2'\n    slot_name: s\n    publication_name: p\n"),
      database("conn_str: {a: 'postgres://u:hunter2@h'}\n    slot_name: s\n    publication_name: p\n"),
      database("conn: 'postgres://u:hunter2@h'\n    slot_name: s\n    publication_name: p\n"),
      database("conn_str: 'postgres://u:hunter2@h/${d'\n    slot_name: s\n    publication_name: p\n"),
      "databases: 'postgres://u:hunter2@h'\n",
      "databases: ['host=h password=hunter2']\n",
      kOneDatabase + "flush_interval: password=hunter2\n",
  };
  for (const std::string& text : texts) {
    EXPECT_NE(faults(text), "") << text;
    EXPECT_THAT(faults(text), Not(HasSubstr("hunter2"))) << text;
  }
  for (const std::string key : {"databases.0.conn_str", "databases.0.conn", "databases.0.password", "conn_str", "x"}) {
    const std::string all = faults(kOneDatabase, {key + "=postgres://u:hunter2@h:p:q"}) +
                            faults(kOneDatabase, {key + "=[password=hunter2"});
    EXPECT_THAT(all, Not(HasSubstr("hunter2")));
  }
}

TEST(Faults, NeverShowASalt) {
  const std::string entry = kOneDatabase + "    hash_columns: [{columns: '.*', ";
  for (const std::string key : {"salt", "slat", "x"}) {
    for (const std::string value : {"[hunter2]", "{a: hunter2}", "'hunter2${'", "${hunter2"}) {
      const std::string text = entry + key + ": " + value + "}]\n";
      EXPECT_NE(faults(text), "") << text;
      EXPECT_THAT(faults(text), Not(HasSubstr("hunter2"))) << text;
    }
    const std::string whole = "databases.0.hash_columns=[{columns: '.*', " + key + ": hunter2}, 1]";
    const std::string all = faults(kOneDatabase, {"databases.0.hash_columns.0." + key + "=hunter2"}) +
                            faults(kOneDatabase, {"databases.0.hash_colums.0." + key + "=hunter2"}) +
                            faults(kOneDatabase, {whole}) + faults(kOneDatabase, {"databases.0={salt: hunter2}"});
    EXPECT_THAT(all, Not(HasSubstr("hunter2")));
  }
  const std::string long_salt = entry + "salt: " + std::string(1025, 'x') + "}]\n";
  EXPECT_EQ(faults(long_salt),
            "c.yaml:5:42: databases[0].hash_columns[0].salt: expected text of 1 to 1024 bytes, in quotes if it looks "
            "like a number (what was found is not shown)");
  EXPECT_THAT(faults(entry + "salt: 271828}]\n"), Not(HasSubstr("271828")));
}

TEST(Faults, ShowTheFrontOfALongTextWithoutCuttingACharacter) {
  std::string shown;
  for (int i = 0; i < 80; ++i) shown += "\u20AC";
  EXPECT_THAT(faults(kOneDatabase + "flush_interval: \"" + shown + "\"\n"), HasSubstr('"' + shown + '"'));
  EXPECT_THAT(faults(kOneDatabase + "flush_interval: \"" + shown + "\u20AC\"\n"), HasSubstr('"' + shown + "...\""));
}

// The parser makes a lone byte of these escapes.
TEST(Faults, AreTextWhateverTheyQuote) {
  for (const char* escape : {"\\_", "\\N"}) {
    const std::string told = faults(kOneDatabase + "output: {key_separator: \"" + escape + "\"}\n");
    EXPECT_THAT(told, HasSubstr("key_separator"));
    EXPECT_EQ(with_replacements(told), told);
  }
}

TEST(Faults, StopAliasesThatGrowWithoutMeasure) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int j = 0; j < 10; ++j) text += (j == 0 ? "" : ", ") + below;
    text += "]\n";
  }
  EXPECT_THAT(faults(text), HasSubstr("too many values"));
}

TEST(Faults, StopAliasesThatRepeatALongText) {
  std::string text = "a: &a '" + std::string(1 << 20, 'x') + "'\nb: [";
  for (int i = 0; i < 2000; ++i) text += "*a,";
  EXPECT_THAT(faults(text + "]\n"), HasSubstr("aliases repeat more than 32 MiB"));
}

}  // namespace
}  // namespace walcat::test
