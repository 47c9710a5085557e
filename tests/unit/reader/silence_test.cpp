// When a server that says nothing is asked, and when it is given up.

#include "walcat/reader/silence.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using namespace std::chrono_literals;

class SilenceTest : public testing::Test {
 protected:
  SilenceTest() { silence_.begin(60s, start_); }

  Silence silence_;
  const Silence::Time start_ = Silence::Time() + 24h;
};

TEST_F(SilenceTest, AsksAfterHalfOfTheLimit) {
  EXPECT_FALSE(silence_.is_question_due(start_ + 29s));
  EXPECT_TRUE(silence_.is_question_due(start_ + 30s));
}

TEST_F(SilenceTest, AsksOnce) {
  silence_.asked(start_ + 30s);
  EXPECT_FALSE(silence_.is_question_due(start_ + 40s));
}

TEST_F(SilenceTest, IsOverOnlyHalfTheLimitAfterTheQuestion) {
  EXPECT_FALSE(silence_.is_over(start_ + 1h)) << "a process that was stopped has not asked yet";
  silence_.asked(start_ + 1h);
  EXPECT_FALSE(silence_.is_over(start_ + 1h + 29s));
  EXPECT_TRUE(silence_.is_over(start_ + 1h + 30s));
  EXPECT_EQ(silence_.lasts(start_ + 1h), 1h);
}

TEST_F(SilenceTest, AnAnswerEndsIt) {
  silence_.asked(start_ + 30s);
  silence_.heard(start_ + 59s);
  EXPECT_FALSE(silence_.is_over(start_ + 61s));
  EXPECT_FALSE(silence_.is_question_due(start_ + 88s));
  EXPECT_TRUE(silence_.is_question_due(start_ + 89s));
}

TEST_F(SilenceTest, LastsTwiceAsLongEachTimeUntilThereIsProgress) {
  silence_.give_up();
  silence_.begin(60s, start_);
  EXPECT_FALSE(silence_.is_question_due(start_ + 59s));
  EXPECT_TRUE(silence_.is_question_due(start_ + 60s));
  for (int i = 0; i < 100; ++i) silence_.give_up();
  EXPECT_FALSE(silence_.is_question_due(start_ + 479s));
  EXPECT_TRUE(silence_.is_question_due(start_ + 480s));
  silence_.progressed();
  EXPECT_TRUE(silence_.is_question_due(start_ + 30s));
}

}  // namespace
}  // namespace walcat::test
