#include "walcat/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;

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

TEST(Log, EscapesWhatWouldBreakJson) {
  const auto text = logged({log::Level::kInfo, log::Format::kJson},
                           [] { log::write(log::Level::kError, "d\"b", "a\\b\n\x01 {} \"c\""); });
  EXPECT_THAT(text, HasSubstr(R"("level":"error")"));
  EXPECT_THAT(text, HasSubstr(R"("database":"d\"b")"));
  EXPECT_THAT(text, EndsWith("\"message\":\"a\\\\b\\u000a\\u0001 {} \\\"c\\\"\"}\n"));
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
