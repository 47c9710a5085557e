// Which transactions came by that a chunk's snapshot does not see.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decoder/window_rows.h"

namespace walcat::test {
namespace {

constexpr std::uint64_t kEpoch = std::uint64_t{1} << 32;

// A window that follows since the transaction `next` was the next one to be given out.
class SnapshotBlindness : public testing::Test {
 protected:
  void begin_at(std::uint64_t next) {
    window_.follow();
    window_.enter();
    window_.begin_at(next);
  }
  void pass(std::initializer_list<std::uint64_t> xids) {
    const auto lock = window_.enter();
    for (const std::uint64_t xid : xids) window_.pass_transaction(static_cast<std::uint32_t>(xid));
  }
  bool is_blind(const VisibleTransactions& visible) { return window_.is_blind(visible); }
  // As a chunk: the window is opened before.
  bool open_and_look(const VisibleTransactions& visible) {
    window_.open(++chunk_);
    return is_blind(visible);
  }

  SnapshotWindow window_;
  std::uint64_t chunk_ = 0;
};

TEST_F(SnapshotBlindness, SeesWellWhereNothingCameBy) {
  begin_at(1000);
  EXPECT_FALSE(open_and_look({1000, 1000, {}}));
  EXPECT_FALSE(open_and_look({1000, 1010, {1000, 1005}})) << "open on the server, but none of them came by";
}

TEST_F(SnapshotBlindness, WaitsForEverythingThatBeganBefore) {
  begin_at(1000);
  EXPECT_TRUE(open_and_look({999, 1001, {999}}));
  EXPECT_TRUE(open_and_look({1, 5000, {1}}));
  EXPECT_FALSE(open_and_look({1000, 1001, {}}));
}

TEST_F(SnapshotBlindness, IsBlindToWhatCameByAndIsStillOpen) {
  begin_at(1000);
  pass({1003});
  EXPECT_TRUE(open_and_look({1001, 1010, {1001, 1003}}));
  EXPECT_TRUE(open_and_look({1002, 1003, {1002}})) << "1003 had not begun for this snapshot";
  EXPECT_FALSE(open_and_look({1002, 1010, {1002}}));
}

TEST_F(SnapshotBlindness, DoesNotLookAtWhatComesByInTheWindow) {
  begin_at(1000);
  window_.open(1);
  pass({1003});
  EXPECT_FALSE(is_blind({1003, 1010, {1003}})) << "its keys are remembered";
  window_.close();
  EXPECT_TRUE(open_and_look({1003, 1010, {1003}})) << "for the next chunk it came by before";
}

TEST_F(SnapshotBlindness, CountsTheWindowsTransactionsOnceTheChunkIsHeld) {
  begin_at(1000);
  window_.open(1);
  pass({1003});
  const Batch batch(4096);
  window_.hold(batch, source_of(plain_table())->relation, {});
  pass({1004});
  window_.close();
  EXPECT_TRUE(open_and_look({1003, 1010, {1003}}));
  EXPECT_TRUE(open_and_look({1004, 1010, {1004}}));
  EXPECT_FALSE(open_and_look({1005, 1010, {}}));
}

TEST_F(SnapshotBlindness, CountsWhatCameByBeforeItsBeginning) {
  window_.follow();
  pass({998, 1002});
  window_.begin_at(1000);
  EXPECT_TRUE(open_and_look({1002, 1010, {1002}}));
  EXPECT_FALSE(open_and_look({1003, 1010, {}}));
}

TEST_F(SnapshotBlindness, BeginsAnewWithEveryFollowing) {
  begin_at(1000);
  pass({1003});
  begin_at(1001);
  EXPECT_FALSE(open_and_look({1003, 1010, {1003}}));
}

TEST_F(SnapshotBlindness, RemembersOnAfterWhatHasEndedIsForgotten) {
  begin_at(1000);
  pass({1000, 1001, 1002, 1003, 1008});
  EXPECT_TRUE(open_and_look({1003, 1010, {1003, 1008}}));
  EXPECT_TRUE(open_and_look({1008, 1010, {1008}}));
  EXPECT_FALSE(open_and_look({1009, 1010, {}}));
  pass({1009, 1002});
  EXPECT_TRUE(open_and_look({1009, 1010, {1009}}));
  EXPECT_FALSE(open_and_look({1010, 1010, {}})) << "1002, which a reconnect brought once more, has ended long ago";
}

TEST_F(SnapshotBlindness, HearsOfTransactionsFarAhead) {
  begin_at(1000);
  pass({1'000'000});
  EXPECT_TRUE(open_and_look({1000, 900'000, {1000}}));
  EXPECT_TRUE(open_and_look({500'000, 1'000'001, {500'000, 1'000'000}}));
  EXPECT_FALSE(open_and_look({1'000'001, 1'000'001, {}}));
  pass({2'000'000});
  EXPECT_TRUE(open_and_look({2'000'000, 2'000'001, {2'000'000}}));
}

// The stream names 32 bits of an ID, the snapshot all 64.
TEST_F(SnapshotBlindness, FollowsTheCounterRound) {
  begin_at(kEpoch - 2);
  pass({kEpoch - 3, kEpoch - 2, kEpoch + 5});
  EXPECT_TRUE(open_and_look({kEpoch - 2, kEpoch + 10, {kEpoch - 2}}));
  EXPECT_TRUE(open_and_look({kEpoch + 5, kEpoch + 10, {kEpoch + 5}}));
  EXPECT_TRUE(open_and_look({kEpoch, kEpoch + 5, {kEpoch}}));
  EXPECT_FALSE(open_and_look({kEpoch + 6, kEpoch + 10, {}}));
  pass({kEpoch + 7});
  EXPECT_TRUE(open_and_look({kEpoch + 7, kEpoch + 10, {kEpoch + 7}}));
}

TEST_F(SnapshotBlindness, KnowsIdsOfALaterEpoch) {
  begin_at(3 * kEpoch + 100);
  pass({3 * kEpoch + 101});
  EXPECT_TRUE(open_and_look({101, 110, {101}})) << "of the first epoch: long before";
  EXPECT_TRUE(open_and_look({3 * kEpoch + 101, 3 * kEpoch + 110, {3 * kEpoch + 101}}));
  EXPECT_FALSE(open_and_look({3 * kEpoch + 102, 3 * kEpoch + 110, {}}));
}

}  // namespace
}  // namespace walcat::test
