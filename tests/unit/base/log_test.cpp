#include "walcat/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>
#include <climits>

#include "walcat/base/utf8.h"

namespace walcat {
namespace {

using testing::ContainsRegex;
using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

// What `write` puts on stderr under `options`.
template <typename Write>
std::string logged(const log::Options& options, Write write) {
  log::configure(options);
  testing::internal::CaptureStderr();
  write();
  const std::string text = testing::internal::GetCapturedStderr();
  log::configure({});
  return text;
}

TEST(Log, NamesTheDatabaseOnEveryLine) {
  const auto text = logged({}, [] { log::Logger("db1/slot1").info("at {}", "0/1"); });
  EXPECT_THAT(text, MatchesRegex("[-0-9T:.]+Z info +\\[db1/slot1\\] at 0/1\n"));
}

// Whatever somebody may have put into a name or an error.
const std::string kForeign = std::string("a\0\x1b]0;title\x07\x7f\u0080\u009b2J", 19) +
                             "\xff\xc3(\xed\xa0\x80 \"q\" \\ \r\n\t {} {0} %v %l \u202e\u2028\xe2\x82";

// The text of a line without its time.
std::string without_time(const std::string& line) { return line.substr(line.find(' ') + 1); }

TEST(Log, WritesOneLineOfTextWhateverAMessageHolds) {
  const auto text = logged({}, [] { log::write(log::Level::kError, kForeign, kForeign + "end"); });
  const std::string label = "a\\u0000\\u001b]0;title\\u0007\\u007f\\u0080\\u009b2J";
  const std::string rest = "\uFFFD\uFFFD(\uFFFD\uFFFD\uFFFD \"q\" \\ ";
  const std::string last = " {} {0} %v %l \u202e\\u2028\uFFFD";
  EXPECT_EQ(without_time(text),
            "error   [" + label + rest + "\\u000d\\u000a\\u0009" + last + "] " + label + rest + last + "end\n");
}

TEST(Log, WritesOneObjectOfJsonWithTheSameText) {
  const auto write = [] { log::write(log::Level::kError, kForeign, kForeign); };
  const auto text = without_time(logged({}, write));
  const auto json = logged({log::Level::kInfo, log::Format::kJson}, write);
  EXPECT_EQ(json.find('\n'), json.size() - 1);
  for (const char c : json.substr(0, json.size() - 1)) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(json);
  const simdjson::dom::element line = parser.parse(padded);
  EXPECT_EQ(std::string_view(line["level"]), "error");
  const std::string database{std::string_view(line["database"])};
  EXPECT_EQ("error   [" + database + "] " + std::string{std::string_view(line["message"])} + "\n", text);
}

TEST(Log, BoundsALine) {
  for (const auto format : {log::Format::kText, log::Format::kJson}) {
    for (const char* piece : {"a", "\"", "\x1b", "ü", "\u009b", "\xff", "🐘"}) {
      std::string message;
      while (message.size() < 1'000'000) message += piece;
      const auto text = logged({log::Level::kInfo, format}, [&] { log::write(log::Level::kError, message, message); });
      EXPECT_LE(text.size(), log::kLineBytesMost + 1) << piece;
      EXPECT_GE(text.size(), 5'000) << piece;
      EXPECT_THAT(text, ContainsRegex("[.][.] \\([0-9]+ bytes more\\)")) << piece;
      EXPECT_EQ(with_replacements(text), text) << "cut within a character";
    }
  }
}

TEST(Log, WritesLastWordsAsWholeLines) {
  for (const auto format : {log::Format::kText, log::Format::kJson}) {
    const std::string message(100'000, '"');
    const auto text = logged({log::Level::kInfo, format},
                             [&] { log::write_at_once(log::Level::kError, std::string(1'000, '\x1b'), message); });
    EXPECT_LE(text.size(), PIPE_BUF);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_THAT(text, ContainsRegex("[(][0-9]+ bytes more[)]\"?}?\n$"));
  }
}

TEST(Log, BoundsHowManyLinesAreOfOneKind) {
  const auto text = logged({}, [] {
    const log::Logger logger("d");
    for (int i = 0; i < 150; ++i) logger.warning("table {} is gone", i);
    logger.warning("another {}", 1);
    logger.error("table {} is gone", 150);
    for (int i = 0; i < 150; ++i) log::write(log::Level::kInfo, "d", "of no kind");
    log::tell_left_out();
    log::tell_left_out();
  });
  EXPECT_THAT(text, HasSubstr("table 99 is gone\n"));
  EXPECT_THAT(text, Not(HasSubstr("table 100 is gone\n")));
  EXPECT_THAT(text, HasSubstr("another 1\n"));
  EXPECT_THAT(text, HasSubstr("error   [d] table 150 is gone\n")) << "warnings keep no error back";
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 100 + 2 + 150 + 1);
  EXPECT_THAT(text, EndsWith("[d] 50 lines like this were left out: table 149 is gone\n"));
}

TEST(Log, WritesPlainLinesThatNoTerminalObeys) {
  EXPECT_EQ(logged({}, [] { log::write_lines("a: \x1b[2J\nb\u009b\n"); }), "a: \\u001b[2J\nb\\u009b\n");
}

TEST(Log, LeavesTheDatabaseOutOfLinesAboutTheProcess) {
  const auto text = logged({log::Level::kInfo, log::Format::kJson}, [] { log::write(log::Level::kInfo, "", "hello"); });
  EXPECT_THAT(text, EndsWith("\"level\":\"info\",\"message\":\"hello\"}\n"));
}

TEST(Log, KeepsAMessageOnOneLine) {
  const auto text = logged({}, [] { log::write(log::Level::kInfo, "", "FATAL: no\nDETAIL: why\n"); });
  EXPECT_THAT(text, EndsWith("FATAL: no DETAIL: why\n"));
}

TEST(Log, DropsLinesBelowItsLevel) {
  EXPECT_EQ(logged({log::Level::kError, log::Format::kText}, [] { log::Logger("d").warning("x"); }), "");
  EXPECT_EQ(logged({log::Level::kOff, log::Format::kText}, [] { log::Logger("d").error("x"); }), "");
}

TEST(Log, ReadsTheNamesOfItsLevels) {
  for (const auto level : {log::Level::kTrace, log::Level::kWarning, log::Level::kOff}) {
    EXPECT_EQ(log::parse_level(log::level_name(level)), level);
  }
  EXPECT_EQ(log::parse_level("loud"), std::nullopt);
}

}  // namespace
}  // namespace walcat
