// Whether a reader has time to spare.

#include "pipeline/leisure.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using namespace std::chrono_literals;

TEST(Leisure, HasTimeToBeginWith) {
  Leisure leisure;
  EXPECT_TRUE(leisure.has_time(100s, 0ms));
}

TEST(Leisure, HasNoneWhileTheThreadIsBusy) {
  Leisure leisure;
  leisure.has_time(100s, 0ms);
  EXPECT_FALSE(leisure.has_time(100s + 10ms, 9ms));
  EXPECT_TRUE(leisure.has_time(100s + 20ms, 10ms)) << "what it did before does not count";
}

TEST(Leisure, JudgesByAMillisecondOrMore) {
  Leisure leisure;
  leisure.has_time(100s, 0ms);
  EXPECT_TRUE(leisure.has_time(100s + 500us, 500us));
  EXPECT_FALSE(leisure.has_time(100s + 1ms, 1ms));
}

TEST(Leisure, LooksAtTheClocksByItself) {
  Leisure leisure;
  EXPECT_TRUE(leisure.has_time()) << "this thread is younger than the machine";
}

}  // namespace
}  // namespace walcat::test
