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

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("üüü", 3), "üüü");
  EXPECT_EQ(printable("üüü", 2), "üü..");
  EXPECT_EQ(printable(std::string(1'000'000, '\x1b'), 1), "\\u001b..");
}

}  // namespace
}  // namespace walcat::test
