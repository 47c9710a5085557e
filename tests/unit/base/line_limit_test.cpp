// How many lines of one kind a log takes.

#include "base/line_limit.h"

#include <gtest/gtest.h>

#include <string>

namespace walcat::log {
namespace {

using std::chrono::seconds;

class Limit : public testing::Test {
 protected:
  // How many of `count` lines of a kind are written.
  std::uint64_t written(std::uint64_t count, const std::string& database = "a", const std::string& kind = "table {}") {
    std::uint64_t admitted = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      admitted += limit_.admits(database, kind, "table t" + std::to_string(i), now_) ? 1 : 0;
    }
    return admitted;
  }

  LineLimit limit_;
  LineLimit::Clock::time_point now_;
};

TEST_F(Limit, WritesSomeLinesOfAKindAndCountsTheOthers) {
  EXPECT_EQ(written(250), LineLimit::kLinesMost);
  EXPECT_FALSE(limit_.take_left_out(now_ + seconds(59)));
  const auto told = limit_.take_left_out(now_ + seconds(60));
  ASSERT_TRUE(told);
  EXPECT_EQ(told->database, "a");
  EXPECT_EQ(told->count, 150);
  EXPECT_EQ(told->last, "table t249");
  EXPECT_FALSE(limit_.take_left_out(now_ + seconds(60))) << "told once";
}

TEST_F(Limit, IsOfADatabaseAndAKind) {
  EXPECT_EQ(written(100), 100);
  EXPECT_EQ(written(100, "b"), 100);
  EXPECT_EQ(written(100, "a", "slot {}"), 100);
  EXPECT_EQ(written(1), 0);
}

TEST_F(Limit, BeginsAnewAfterAMinute) {
  EXPECT_EQ(written(100), 100);
  now_ += LineLimit::kInterval;
  EXPECT_EQ(written(101), 100);
  now_ += LineLimit::kInterval;
  EXPECT_EQ(limit_.take_left_out(now_)->count, 1);
  EXPECT_EQ(written(100), 100);
}

TEST_F(Limit, TellsTheRestAtTheEnd) {
  written(101);
  written(102, "b");
  EXPECT_EQ(limit_.take_left_out(std::nullopt)->count, 1);
  EXPECT_EQ(limit_.take_left_out(std::nullopt)->count, 2);
  EXPECT_FALSE(limit_.take_left_out(std::nullopt));
}

}  // namespace
}  // namespace walcat::log
