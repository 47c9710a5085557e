#include "walcat/model/large_rows.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>

#include "walcat/model/batch.h"

namespace walcat::test {
namespace {

constexpr std::size_t kBudget = 800;
constexpr std::size_t kShare = LargeRows::kShare;

struct Lane {
  explicit Lane(const std::shared_ptr<LargeRows>& rows) : claim(rows, [this] { ++woken; }) {}

  int woken = 0;
  LargeRows::Claim claim;
};

struct LargeRowsTest : testing::Test {
  std::shared_ptr<LargeRows> rows = std::make_shared<LargeRows>(kBudget);
  Lane a{rows};
  Lane b{rows};
  Lane c{rows};
};

TEST_F(LargeRowsTest, ChargesARowForAllThatIsMadeOfIt) {
  ASSERT_TRUE(a.claim.ask(10));
  EXPECT_EQ(rows->charged(), 10 * kShare);
  auto hold = a.claim.take(10);
  EXPECT_EQ(rows->charged(), 10 * kShare);
  hold.give_back();
  EXPECT_EQ(rows->charged(), 10U) << "libpq keeps its room";
  ASSERT_TRUE(a.claim.ask(5));
  EXPECT_EQ(rows->charged(), 10 + 5 * (kShare - 1)) << "and takes the next row into it";
  a.claim.release();
  EXPECT_EQ(rows->charged(), 0U);
}

TEST_F(LargeRowsTest, LetsOneGoThatIsLargerThanTheBudget) {
  ASSERT_TRUE(a.claim.ask(10'000));
  auto hold = a.claim.take(10'000);
  EXPECT_FALSE(b.claim.ask(10'000));
  EXPECT_FALSE(c.claim.ask(1));
  a.claim.release();
  EXPECT_FALSE(b.claim.ask(10'000)) << "it is on its way still";
  const int woken = b.woken;
  hold.give_back();
  EXPECT_GT(b.woken, woken);
  EXPECT_TRUE(b.claim.ask(10'000));
}

TEST_F(LargeRowsTest, ServesWhoAskedFirst) {
  ASSERT_TRUE(a.claim.ask(50));
  auto hold = a.claim.take(50);
  EXPECT_FALSE(b.claim.ask(60));
  EXPECT_FALSE(c.claim.ask(1)) << "small ones would keep a large one waiting for ever";
  hold.give_back();
  EXPECT_FALSE(c.claim.ask(1));
  EXPECT_TRUE(b.claim.ask(60));
  EXPECT_TRUE(c.claim.ask(1));
}

TEST_F(LargeRowsTest, LetsOnlyTheFirstGoOnBeyondTheBudget) {
  ASSERT_TRUE(a.claim.ask(40));
  ASSERT_TRUE(b.claim.ask(40));
  EXPECT_FALSE(b.claim.ask(400));
  EXPECT_TRUE(a.claim.ask(400));
  EXPECT_TRUE(b.claim.ask(40)) << "what is granted stays granted";
}

TEST_F(LargeRowsTest, WaitsForRoomThatIsAboutToComeBack) {
  ASSERT_TRUE(a.claim.ask(1000));
  a.claim.take(1000).give_back();
  EXPECT_TRUE(b.claim.ask(100)) << "a transaction may be long";
  b.claim.release();
  a.claim.will_return(true);
  EXPECT_FALSE(b.claim.ask(100));
  EXPECT_GT(a.woken, 0) << "somebody wants it";
  EXPECT_TRUE(a.claim.is_wanted());
  const int woken = b.woken;
  a.claim.release();
  EXPECT_GT(b.woken, woken);
  EXPECT_TRUE(b.claim.ask(100));
}

TEST_F(LargeRowsTest, WaitsForNothingThatWaitsForTheStream) {
  ASSERT_TRUE(a.claim.ask(1000));
  const auto chunk = a.claim.take(1000, true);
  a.claim.release();
  EXPECT_TRUE(b.claim.ask(1000));
}

TEST_F(LargeRowsTest, TellsWhoKeepsOthersWaiting) {
  ASSERT_TRUE(a.claim.ask(1000));
  EXPECT_EQ(a.claim.keeps_waiting().count(), 0) << "nobody";
  EXPECT_FALSE(b.claim.ask(1));
  while (a.claim.keeps_waiting().count() == 0) {
  }
  EXPECT_EQ(b.claim.keeps_waiting().count(), 0);
  a.claim.release();
  EXPECT_EQ(a.claim.keeps_waiting().count(), 0);
  EXPECT_TRUE(b.claim.ask(1));
}

TEST_F(LargeRowsTest, ForgetsWhoIsGone) {
  {
    std::optional<Lane> gone(std::in_place, rows);
    ASSERT_TRUE(gone->claim.ask(1000));
    EXPECT_FALSE(a.claim.ask(1));
    gone.reset();
    EXPECT_GT(a.woken, 0);
  }
  EXPECT_TRUE(a.claim.ask(1));
}

TEST_F(LargeRowsTest, AnEmptiedBatchGivesBackWhatItHolds) {
  Batch batch(100);
  ASSERT_TRUE(a.claim.ask(500));
  batch.large = a.claim.take(500);
  EXPECT_EQ(rows->charged(), 500 * kShare);
  batch.clear();
  EXPECT_EQ(rows->charged(), 500U);
}

TEST(LargeRows, NobodyWaitsWhereThereIsNoBudget) {
  LargeRows::Claim claim(nullptr, [] {});
  EXPECT_TRUE(claim.ask(std::size_t{1} << 40));
  claim.take(1).give_back();
  claim.release();
  EXPECT_FALSE(claim.is_wanted());
}

}  // namespace
}  // namespace walcat::test
