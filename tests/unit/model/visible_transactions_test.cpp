#include "walcat/model/visible_transactions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(VisibleTransactions, ReadsWhatTheServerWrites) {
  const auto visible = *VisibleTransactions::parse("750:755:751,753");
  EXPECT_EQ(visible.xmin, 750U);
  EXPECT_EQ(visible.xmax, 755U);
  EXPECT_THAT(visible.in_progress, ElementsAre(751U, 753U));
}

TEST(VisibleTransactions, ReadsASnapshotOfAnIdleServer) {
  const auto visible = *VisibleTransactions::parse("750:750:");
  EXPECT_EQ(visible.xmin, 750U);
  EXPECT_EQ(visible.xmax, 750U);
  EXPECT_THAT(visible.in_progress, IsEmpty());
}

TEST(VisibleTransactions, ReadsEpochs) {
  const auto visible = *VisibleTransactions::parse("4294967296:9223372036854775807:4294967297");
  EXPECT_EQ(visible.xmin, std::uint64_t{1} << 32);
  EXPECT_EQ(visible.xmax, 9223372036854775807U);
  EXPECT_THAT(visible.in_progress, ElementsAre((std::uint64_t{1} << 32) + 1));
}

TEST(VisibleTransactions, SeesAllBelowXminThoughXmaxIsLower) {
  const auto visible = *VisibleTransactions::parse("7328:7325:");
  EXPECT_EQ(visible.xmin, 7328U);
  EXPECT_EQ(visible.xmax, 7328U);
}

TEST(VisibleTransactions, SeesWhatHasEnded) {
  const auto visible = *VisibleTransactions::parse("740:750:741,748");
  EXPECT_TRUE(visible.sees(739));
  EXPECT_TRUE(visible.sees(740));
  EXPECT_FALSE(visible.sees(741));
  EXPECT_TRUE(visible.sees(747));
  EXPECT_FALSE(visible.sees(748));
  EXPECT_TRUE(visible.sees(749));
  EXPECT_FALSE(visible.sees(750));
  EXPECT_FALSE(visible.sees(2'000'000'000));
}

TEST(VisibleTransactions, SeesAcrossTheEndOfAnEpoch) {
  // 4294967296 is ID 0 of epoch 1.
  const auto visible = *VisibleTransactions::parse("4294967290:4294967302:4294967290,4294967300");
  EXPECT_TRUE(visible.sees(4294967289U));
  EXPECT_FALSE(visible.sees(4294967290U));
  EXPECT_TRUE(visible.sees(4294967291U));
  EXPECT_TRUE(visible.sees(3));
  EXPECT_FALSE(visible.sees(4));
  EXPECT_TRUE(visible.sees(5));
  EXPECT_FALSE(visible.sees(6));
}

TEST(VisibleTransactions, SeesNothingBeforeItWasRead) {
  EXPECT_FALSE(VisibleTransactions{}.sees(3));
  EXPECT_FALSE(VisibleTransactions{}.sees(4294967295U));
}

TEST(VisibleTransactions, RefusesWhatIsNoSnapshot) {
  for (const char* text : {"",         ":",     "::",     ":::",    "x",
                           "1",        "1:",    "1:2",    "1:2:x",  "1:2:3,x",
                           "1:2:3,,4", "1:2:,", "1:2:3,", "-1:2:3", "99999999999999999999:1:",
                           "1:2:3:4",  "many",  " 1:2:",  "1:2: 3", "1;2:"}) {
    EXPECT_FALSE(VisibleTransactions::parse(text).has_value()) << text;
  }
}

TEST(VisibleTransactions, IsWrittenAsItWasRead) {
  for (const char* text : {"750:755:751,753", "750:750:", "1:2:1", "4294967296:9223372036854775807:4294967297"}) {
    EXPECT_EQ(VisibleTransactions::parse(text)->to_string(), text);
  }
}

}  // namespace
}  // namespace walcat
