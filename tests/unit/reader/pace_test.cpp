// When a reader naps between looks at the socket, and for how long.

#include "walcat/reader/pace.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kFrame = 150;

class PaceTest : public testing::Test {
 protected:
  // As many frames as make a flood, one by one.
  void begin_flood() {
    for (int i = 0; i < 100; ++i) {
      pace_.waited(5us);
      pace_.found(1, kFrame, false);
    }
  }
  Pace::Duration nap_after(std::size_t frames, std::size_t bytes) {
    for (int i = 0; i < 100; ++i) pace_.found(frames, bytes, true);
    return pace_.nap(0us);
  }

  Pace pace_;
};

TEST_F(PaceTest, DoesNotHoldUpALoneChange) {
  for (int i = 0; i < 1'000; ++i) {
    pace_.waited(10ms);
    pace_.found(1, kFrame, false);  // Begin
    pace_.waited(20us);
    pace_.found(1, kFrame, false);  // Insert
    EXPECT_EQ(pace_.nap(0us), 0us);
    pace_.waited(20us);
    pace_.found(1, kFrame, false);  // Commit
    EXPECT_EQ(pace_.nap(0us), 0us);
  }
}

TEST_F(PaceTest, NapsInAFlood) {
  begin_flood();
  EXPECT_GT(pace_.nap(0us), 0us);
}

TEST_F(PaceTest, HandsOnWhatHasBeenHeldForLong) {
  begin_flood();
  EXPECT_EQ(pace_.nap(10ms), 0us);
}

TEST_F(PaceTest, HandsOnWhatThereIsWhenTheServerPauses) {
  begin_flood();
  pace_.found(50, 50 * kFrame, true);
  EXPECT_GT(pace_.nap(0us), 0us);
  pace_.found(0, 0, true);
  EXPECT_EQ(pace_.nap(0us), 0us);
  pace_.found(0, 0, false);
  EXPECT_EQ(pace_.nap(0us), 0us) << "the next look, without a nap, knows no better";
}

TEST_F(PaceTest, NapsAgainAtOnceAfterAShortPause) {
  begin_flood();
  pace_.found(0, 0, true);
  pace_.waited(300us);
  pace_.found(1, kFrame, false);
  EXPECT_GT(pace_.nap(0us), 0us);
}

TEST_F(PaceTest, EndsTheFloodWithALongPause) {
  begin_flood();
  pace_.found(0, 0, true);
  pace_.waited(10ms);
  pace_.found(1, kFrame, false);
  EXPECT_EQ(pace_.nap(0us), 0us);
}

TEST_F(PaceTest, NapsShorterWhereTheBufferFillsSooner) {
  begin_flood();
  const auto calm = nap_after(10, 10 * kFrame);
  const auto pressing = nap_after(250, 250 * kFrame);
  EXPECT_LT(pressing, calm);
  EXPECT_GT(pressing, 0us) << "a reader that looks all the time takes frames one by one";
}

TEST_F(PaceTest, ExpectsFewerLargeFramesToFillTheBuffer) {
  begin_flood();
  const auto narrow = nap_after(70, 70 * kFrame);
  const auto wide = nap_after(70, 70 * std::size_t{1'300});
  EXPECT_LT(wide, narrow);
}

}  // namespace
}  // namespace walcat::test
