// What others wrote, as it is shown to people.

#include "walcat/base/printable.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace walcat::test {
namespace {

using namespace std::string_view_literals;

TEST(Printable, LeavesWhatPeopleWrite) {
  EXPECT_EQ(printable("", 9), "");
  EXPECT_EQ(printable("tables \"a\".b, ü, €, 🐘", 99), "tables \"a\".b, ü, €, 🐘");
}

TEST(Printable, NamesWhatATerminalWouldObey) {
  EXPECT_EQ(printable("a\x1b[31m\nb\0\x7f"sv, 99), R"(a\u001b[31m\u000ab\u0000\u007f)");
  EXPECT_EQ(printable("\u009b2J\u0080\u00a0", 99), "\\u009b2J\\u0080\u00a0") << "C1 does what ESC does";
}

TEST(Printable, RepairsWhatIsNoText) {
  EXPECT_EQ(printable("x\xff\x9b", 99), "x\uFFFD\uFFFD");
  EXPECT_EQ(printable("x\xc3", 99), "x\uFFFD");
}

TEST(Printable, LeavesWhatIsPrintableAlready) {
  const std::string once = printable("a\\b \x1b\n\u2028\xff\u009b", 99);
  EXPECT_EQ(once, "a\\b \\u001b\\u000a\\u2028\uFFFD\\u009b");
  EXPECT_EQ(printable(once, 99), once);
  EXPECT_EQ(printable_line(once, 999), once);
}

TEST(Printable, JoinsTheLinesOfAMessage) {
  EXPECT_EQ(printable_line("FATAL: no\r\nDETAIL:\twhy\n\n", 999), "FATAL: no DETAIL: why");
  EXPECT_EQ(printable_line("\n a", 999), " a");
  EXPECT_EQ(printable_line("a\x1b]0;b\x07\u2029", 999), R"(a\u001b]0;b\u0007\u2029)");
}

TEST(Printable, SaysHowMuchOfALineIsCut) {
  EXPECT_EQ(printable_line(std::string(100, 'a'), 100), std::string(100, 'a'));
  EXPECT_EQ(printable_line(std::string(101, 'a'), 100), std::string(52, 'a') + ".. (49 bytes more)");
  EXPECT_EQ(printable_line(std::string(1'000'000, '\x1b'), 64), R"(\u001b\u001b.. (999998 bytes more))");
  for (std::size_t before = 0; before < 4; ++before) {
    const std::string text = std::string(before, 'a') + "🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘🐘";
    const std::string line = printable_line(text, 64);
    EXPECT_LE(line.size(), 64);
    EXPECT_EQ(printable_line(line, 64), line) << "cut within a character";
    EXPECT_EQ(line.find("\uFFFD"), std::string::npos) << line;
  }
}

TEST(Printable, KeepsLinesApart) {
  EXPECT_EQ(printable_lines("a\x1b\nb\n", 99), "a\\u001b\nb\n");
  EXPECT_EQ(printable_lines("a", 99), "a");
  EXPECT_EQ(printable_lines("", 99), "");
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("üüü", 3), "üüü");
  EXPECT_EQ(printable("üüü", 2), "üü..");
  EXPECT_EQ(printable(std::string(1'000'000, '\x1b'), 1), "\\u001b..");
}

}  // namespace
}  // namespace walcat::test
