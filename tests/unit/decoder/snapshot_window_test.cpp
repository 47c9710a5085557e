// Which rows of a chunk the stream has brought as new, or newer.

#include "walcat/decoder/snapshot_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "decoder/window_rows.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Key = SnapshotWindow::Key;

TEST(SnapshotWindow, LetsRowsThroughThatNothingTouched) {
  WindowRows rows;
  rows.window.open(1);
  EXPECT_EQ(rows.hold({"1\ta", "2\tb"}), Key{"2"}) << "the key of the last row";
  rows.insert({"9", "z"});
  EXPECT_FALSE(rows.leaves_out({"1", "a"}));
  EXPECT_FALSE(rows.leaves_out({"2", "b"}));
  EXPECT_TRUE(rows.leaves_out({"9", "z"})) << "it is not in the chunk";
}

TEST(SnapshotWindow, LeavesOutWhatIsTouchedBeforeAndAfterTheChunkIsRead) {
  WindowRows rows;
  rows.window.open(1);
  rows.insert({"1", "new"});
  rows.update({"2", "new"});
  rows.remove(OldTuple::kKey, {"3", kNullValue});
  rows.hold({"1\ta", "2\tb", "3\tc", "4\td", "5\te", "6\tf", "7\tg"});
  rows.insert({"4", "new"});
  rows.update({"5", "new"});
  rows.remove(OldTuple::kFull, {"6", "f"});
  for (const char* id : {"1", "2", "3", "4", "5", "6"}) EXPECT_TRUE(rows.leaves_out({id, "x"})) << id;
  EXPECT_FALSE(rows.leaves_out({"7", "g"}));
}

TEST(SnapshotWindow, ForgetsWhatWasTouchedBeforeItOpened) {
  WindowRows rows;
  rows.update({"1", "new"});
  rows.window.open(1);
  rows.update({"2", "new"});
  rows.window.open(2);
  rows.hold({"1\ta", "2\tb"});
  EXPECT_FALSE(rows.leaves_out({"1", "a"}));
  EXPECT_FALSE(rows.leaves_out({"2", "b"}));
}

TEST(SnapshotWindow, LeavesOutBothSidesOfAChangedKey) {
  WindowRows rows;
  rows.window.open(1);
  rows.update(OldTuple::kKey, {"1", kNullValue}, {"2", "b"});
  rows.hold({"1\ta", "2\tb", "3\tc", "4\td", "5\te"});
  rows.update(OldTuple::kFull, {"4", "d"}, {"5", "d"});
  for (const char* id : {"1", "2", "4", "5"}) EXPECT_TRUE(rows.leaves_out({id, "x"})) << id;
  EXPECT_FALSE(rows.leaves_out({"3", "c"}));
}

TEST(SnapshotWindow, TellsKeysOfSeveralColumnsApartInTheirOrder) {
  WindowRows rows(two_keys_table(), {"a", "b"});
  rows.window.open(1);
  rows.update({"1", "v", "12"});
  EXPECT_EQ(rows.hold({"1\tv\t12", "12\tv\t1", "21\tv\t1", "\tv\t121", "x\\ty\tv\t7"}), (Key{"7", "x\ty"}))
      << "in the key's order, without COPY's escapes";
  EXPECT_TRUE(rows.leaves_out({"1", "v", "12"}));
  EXPECT_FALSE(rows.leaves_out({"12", "v", "1"}));
  EXPECT_FALSE(rows.leaves_out({"21", "v", "1"}));
  EXPECT_FALSE(rows.leaves_out({"", "v", "121"}));
  rows.remove(OldTuple::kKey, {"x\ty", kNullValue, "7"});
  EXPECT_TRUE(rows.leaves_out({"x\ty", "v", "7"}));
}

TEST(SnapshotWindow, LooksAtItsOwnTableOnly) {
  WindowRows rows;
  rows.window.open(1);
  Relation other = rows.relation();
  other.oid = 99;
  const RowOf row({"1", "a"});
  {
    const auto lock = rows.window.enter();
    rows.window.touch(other, row.batch(), OldTuple::kNone, nullptr, row.cells());
    rows.window.touch_all(other);
  }
  rows.hold({"1\ta"});
  EXPECT_FALSE(rows.leaves_out({"1", "a"}));
}

TEST(SnapshotWindow, LeavesOutEverythingOnceTheTableIsTruncated) {
  for (const bool before_hold : {true, false}) {
    WindowRows rows;
    rows.window.open(1);
    if (before_hold) rows.truncate();
    rows.hold({"1\ta", "2\tb"});
    if (!before_hold) rows.truncate();
    EXPECT_TRUE(rows.leaves_out({"1", "a"}));
    EXPECT_TRUE(rows.leaves_out({"2", "b"}));
    const auto verdict = rows.conclude(0, 2);
    ASSERT_TRUE(verdict.has_value());
    EXPECT_FALSE(verdict->again) << "the rows are gone, there is nothing to read again";
  }
}

TEST(SnapshotWindow, TakesATruncationBeforeItForNone) {
  WindowRows rows;
  rows.truncate();
  rows.window.open(1);
  rows.hold({"1\ta"});
  EXPECT_FALSE(rows.leaves_out({"1", "a"}));
}

TEST(SnapshotWindow, AsksForTheChunkAgainWhereTheKeyIsNotInTheStream) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta"});
  rows.remove(OldTuple::kKey, {kNullValue, "a"});
  EXPECT_TRUE(rows.leaves_out({"1", "a"}));
  EXPECT_TRUE(rows.conclude()->again);
  // The next one begins afresh.
  rows.window.open(2);
  rows.hold({"1\ta"});
  EXPECT_FALSE(rows.leaves_out({"1", "a"}));
  EXPECT_FALSE(rows.conclude(1)->again);
}

TEST(SnapshotWindow, AsksForTheChunkAgainWhereTheKeysColumnIsGone) {
  WindowRows rows;
  rows.window.open(1);
  Relation altered = rows.relation();
  altered.columns[0].name = "renamed";
  const RowOf row({"1", "a"});
  {
    const auto lock = rows.window.enter();
    rows.window.touch(altered, row.batch(), OldTuple::kNone, nullptr, row.cells());
  }
  rows.hold({"1\ta"});
  EXPECT_TRUE(rows.leaves_out({"1", "a"}));
  EXPECT_TRUE(rows.conclude()->again);
}

TEST(SnapshotWindow, AsksForTheChunkAgainOnceTooMuchIsTouched) {
  WindowRows rows;
  rows.window.open(1);
  for (int id = 0; id <= 200'000; ++id) rows.insert({std::to_string(id), "a"});
  rows.hold({"300000\ta"});
  EXPECT_TRUE(rows.leaves_out({"300000", "a"}));
  EXPECT_TRUE(rows.conclude()->again);
  // Once the chunk is known, only its rows count.
  rows.window.open(2);
  rows.hold({"300000\ta"});
  for (int id = 0; id <= 200'000; ++id) rows.insert({std::to_string(id), "a"});
  EXPECT_FALSE(rows.leaves_out({"300000", "a"}));
  EXPECT_FALSE(rows.conclude(1)->again);
}

TEST(SnapshotWindow, ReadsRowsAgainThatCameWithoutAValue) {
  WindowRows rows;
  rows.window.open(1);
  rows.update({"1", kUnchangedValue});
  rows.hold({"1\ta", "2\tb", "3\tc", "4\td"});
  rows.update({"2", kUnchangedValue});
  rows.update({"2", "new"});
  rows.update({"3", "new"});
  rows.update({"9", kUnchangedValue});
  for (const char* id : {"1", "2", "3"}) EXPECT_TRUE(rows.leaves_out({id, "x"})) << id;
  EXPECT_FALSE(rows.leaves_out({"4", "d"}));
  EXPECT_EQ(rows.conclude(1, 3)->left_out, 3U);
  EXPECT_THAT(*rows.window.take_missed(), ElementsAre(Key{"1"}, Key{"2"}));
  EXPECT_THAT(*rows.window.take_missed(), IsEmpty()) << "taken once";
}

TEST(SnapshotWindow, TakesAValueFromTheWholeOldRow) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta"});
  rows.update(OldTuple::kFull, {"1", "a"}, {"1", kUnchangedValue});
  EXPECT_TRUE(rows.leaves_out({"1", "a"}));
  rows.conclude(0, 1);
  EXPECT_THAT(*rows.window.take_missed(), IsEmpty());
}

TEST(SnapshotWindow, ReadsMovedRowsAgainWhereverTheyWent) {
  WindowRows rows;
  rows.update(OldTuple::kKey, {"1", kNullValue}, {"100", kUnchangedValue});
  rows.window.open(1);
  rows.update(OldTuple::kKey, {"2", kNullValue}, {"200", kUnchangedValue});
  rows.hold({"3\tc"});
  rows.update(OldTuple::kKey, {"3", kNullValue}, {"300", kUnchangedValue});
  rows.update(OldTuple::kKey, {"4", kNullValue}, {"400", "whole"});
  EXPECT_TRUE(rows.leaves_out({"3", "c"}));
  rows.conclude(0, 1);
  EXPECT_THAT(*rows.window.take_missed(), ElementsAre(Key{"100"}, Key{"200"}, Key{"300"}));
}

TEST(SnapshotWindow, TakesAnUnchangedKeyFromTheOldTuple) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta", "2\tb"});
  rows.update(OldTuple::kKey, {"1", kNullValue}, {kUnchangedValue, "new"});
  EXPECT_TRUE(rows.leaves_out({"1", "a"}));
  EXPECT_FALSE(rows.leaves_out({"2", "b"}));
}

TEST(SnapshotWindow, GivesUpCountingMissedRowsAtSomePoint) {
  WindowRows rows;
  for (int id = 0; id < 200'000; ++id) {
    rows.update(OldTuple::kKey, {std::to_string(id), kNullValue}, {std::to_string(-id - 1), kUnchangedValue});
  }
  EXPECT_FALSE(rows.window.take_missed().has_value()) << "the table is to be read anew";
  EXPECT_THAT(*rows.window.take_missed(), IsEmpty());
}

TEST(SnapshotWindow, ForgetsMissedRowsWithTheirTable) {
  WindowRows rows;
  rows.update(OldTuple::kKey, {"1", kNullValue}, {"100", kUnchangedValue});
  rows.window.watch({kPlain, {"id"}});
  EXPECT_THAT(*rows.window.take_missed(), IsEmpty());
}

TEST(SnapshotWindow, ExpectsTheChunkThatIsOpen) {
  WindowRows rows;
  EXPECT_FALSE(rows.window.expects(1));
  rows.window.open(1);
  EXPECT_TRUE(rows.window.expects(1));
  EXPECT_FALSE(rows.window.expects(2));
  rows.hold({"1\ta"});
  EXPECT_TRUE(rows.window.expects(1));
  const auto verdict = rows.conclude(4, 3);
  EXPECT_EQ(verdict->printed, 4U);
  EXPECT_EQ(verdict->left_out, 3U);
  EXPECT_FALSE(rows.window.expects(1)) << "a chunk passes once";
  rows.window.open(2);
  rows.window.close();
  EXPECT_FALSE(rows.window.expects(2));
}

TEST(SnapshotWindow, FollowsFromTheNextBatchOnUntilItIsToForget) {
  SnapshotWindow window;
  EXPECT_FALSE(window.enter().owns_lock());
  window.follow();
  EXPECT_FALSE(window.is_following()) << "the decoder has not looked yet";
  EXPECT_TRUE(window.enter().owns_lock());
  EXPECT_TRUE(window.is_following());
  window.follow();
  EXPECT_FALSE(window.is_following()) << "anew";
  EXPECT_TRUE(window.enter().owns_lock());
  window.forget();
  EXPECT_FALSE(window.is_following());
  EXPECT_FALSE(window.enter().owns_lock());
}

TEST(SnapshotWindow, LacksAFollowerUntilABatchGoesBy) {
  SnapshotWindow window;
  EXPECT_FALSE(window.lacks_follower()) << "nothing is to be followed";
  window.follow();
  EXPECT_TRUE(window.lacks_follower());
  window.enter();
  EXPECT_FALSE(window.lacks_follower());
  window.forget();
  EXPECT_FALSE(window.lacks_follower());
  window.follow();
  EXPECT_TRUE(window.lacks_follower()) << "anew";
}

// So often that the worker has gone to sleep now and then before the batch goes by.
TEST(SnapshotWindow, WakesTheWorkerOnceTheDecoderFollows) {
  constexpr int kTimes = 1000;
  SnapshotWindow window;
  std::atomic<int> followed = 0;
  std::thread worker([&] {
    for (int time = 0; time < kTimes; ++time) {
      window.follow();
      if (window.wait_for_follower() && window.is_following()) ++followed;
      window.forget();
    }
  });
  while (followed < kTimes) {
    if (window.lacks_follower()) window.enter();
    std::this_thread::yield();
  }
  worker.join();
}

TEST(SnapshotWindow, WaitsForNoFollowerOnceAbandoned) {
  SnapshotWindow window;
  window.follow();
  std::thread worker([&] { EXPECT_FALSE(window.wait_for_follower()); });
  window.abandon();
  worker.join();
  EXPECT_FALSE(window.wait_for_follower());
}

TEST(SnapshotWindow, ExpectsNothingOfWhatItForgot) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta"});
  rows.window.forget();
  EXPECT_FALSE(rows.window.expects(1)) << "the chunk is on its way, but nobody waits for it";
}

TEST(SnapshotWindow, WakesTheWorkerWithItsVerdict) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta"});
  std::optional<SnapshotWindow::Verdict> verdict;
  std::thread worker([&] { verdict = rows.window.wait_for_verdict(); });
  {
    const auto lock = rows.window.enter();
    rows.window.conclude(1, 0);
  }
  worker.join();
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->printed, 1U);
}

TEST(SnapshotWindow, WakesTheWorkerForGoodOnceAbandoned) {
  WindowRows rows;
  rows.window.open(1);
  std::thread worker([&] { EXPECT_FALSE(rows.window.wait_for_verdict().has_value()); });
  rows.window.abandon();
  worker.join();
  rows.window.open(2);
  EXPECT_FALSE(rows.window.wait_for_verdict().has_value());
}

TEST(SnapshotWindow, KeepsAVerdictThatCameBeforeItWasAbandoned) {
  WindowRows rows;
  rows.window.open(1);
  rows.hold({"1\ta"});
  rows.window.abandon();
  EXPECT_TRUE(rows.conclude(1).has_value());
}

}  // namespace
}  // namespace walcat::test
