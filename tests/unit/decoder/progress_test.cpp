// Positions: what counts as progress, and what is dropped because it was done before.

#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

// Transaction `commit_lsn` from Begin to its `inserts`-th row, without Commit.
Strings opened(std::uint64_t commit_lsn, int inserts) {
  Strings frames{at(0, begin(commit_lsn)), at(0, relation(plain_table()))};
  for (int i = 0; i < inserts; ++i) {
    frames.push_back(at(commit_lsn - 50, insert(kPlain, {std::to_string(i), "row"})));
  }
  return frames;
}

Strings whole(std::uint64_t commit_lsn, int inserts) {
  Strings frames = opened(commit_lsn, inserts);
  frames.push_back(at(commit_lsn + 10, commit(commit_lsn, commit_lsn + 10)));
  return frames;
}

Strings operator+(Strings left, const Strings& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

TEST(Decoder, ProgressesAtEachCommitToItsEnd) {
  Feed feed;
  const auto batch = feed.decode(whole(1000, 2) + whole(2000, 1) + opened(3000, 4));
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 2", "2010 after 3"}));
}

TEST(Decoder, GoesOnInATransactionThatSpansBatches) {
  Feed feed;
  const auto first = feed.decode(opened(1000, 2));
  const auto second = feed.decode({at(950, insert(kPlain, {"2", "row"})), at(960, insert(kPlain, {"3", "row"}))});
  const auto third = feed.decode({at(970, insert(kPlain, {"4", "row"})), at(1010, commit(1000, 1010))});
  const auto fourth = feed.decode({at(0, begin(2000)), at(1950, insert(kPlain, {"5", "row"}))});
  EXPECT_EQ(indexes(*first), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(indexes(*second), (std::vector<std::uint64_t>{2, 3}));
  EXPECT_EQ(indexes(*third), (std::vector<std::uint64_t>{4}));
  EXPECT_EQ(indexes(*fourth), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(second->transactions.at(0).commit_lsn, Lsn{1000});
  EXPECT_TRUE(first->progress_points.empty());
  EXPECT_TRUE(second->progress_points.empty());
  EXPECT_EQ(progress(*third), (Strings{"1010 after 1"}));
}

TEST(Decoder, ProgressesWithACommitAloneInItsBatch) {
  Feed feed;
  feed.decode(opened(1000, 1));
  const auto batch = feed.decode({at(1010, commit(1000, 1010))});
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 0"}));
  EXPECT_TRUE(batch->transactions.empty());
}

TEST(Decoder, ProgressesPastAnEmptyTransaction) {
  Feed feed;
  const auto batch = feed.decode(whole(1000, 0));
  EXPECT_TRUE(batch->changes.empty());
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 0"}));
}

TEST(Decoder, ProgressesWithKeepalivesBetweenTransactionsOnly) {
  Feed feed;
  const auto idle = feed.decode({keepalive(500)});
  EXPECT_EQ(progress(*idle), (Strings{"500 after 0"}));
  const auto inside = feed.decode(opened(1000, 1) + Strings{keepalive(960), keepalive(1000)});
  EXPECT_TRUE(inside->progress_points.empty());
  const auto between =
      feed.decode(Strings{at(1010, commit(1000, 1010)), keepalive(1100), keepalive(1200)} + whole(2000, 1));
  EXPECT_EQ(progress(*between), (Strings{"1200 after 0", "2010 after 1"}));
}

TEST(Decoder, NeverProgressesBackwards) {
  Feed feed;
  const auto batch = feed.decode({keepalive(500), keepalive(400), keepalive(500)});
  EXPECT_EQ(progress(*batch), (Strings{"500 after 0"}));
  EXPECT_TRUE(feed.decode({keepalive(499)})->progress_points.empty());
}

TEST(Decoder, ProgressesPastAMessageOutsideTransactions) {
  Feed feed;
  const auto batch = feed.decode({at(500, logical_message(false, 500, "p", "x")), keepalive(600)});
  EXPECT_EQ(progress(*batch), (Strings{"600 after 1"}));
  const auto alone = feed.decode({at(700, logical_message(false, 700, "p", "x"))});
  EXPECT_EQ(progress(*alone), (Strings{"700 after 1"}));
}

TEST(Decoder, ProgressesPastAHeartbeatThatNobodySees) {
  Feed feed;
  const auto alone = feed.decode({at(500, logical_message(false, 500, "walcat.heartbeat", ""))});
  EXPECT_TRUE(alone->changes.empty());
  EXPECT_EQ(progress(*alone), (Strings{"500 after 0"}));
  const auto between = feed.decode(
      whole(1000, 1) + Strings{at(1500, logical_message(false, 1500, "walcat.heartbeat", ""))} + whole(2000, 1));
  EXPECT_EQ(changes(*between), (Strings{"1000.0 insert public.t (0, row)", "2000.0 insert public.t (0, row)"}));
  EXPECT_EQ(progress(*between), (Strings{"1500 after 1", "2010 after 2"}));
}

TEST(Decoder, KeepsATransactionThatCommitsWhereTheLastOneEnds) {
  Feed feed;
  const auto batch = feed.decode(whole(1000, 1) + whole(1010, 1));
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (0, row)", "1010.0 insert public.t (0, row)"}));
}

TEST(Decoder, DropsTransactionsThatCommittedBeforeTheResumePoint) {
  Feed feed({Lsn{2010}, Lsn{}, 0});
  const auto batch = feed.decode(whole(1000, 3) + whole(2000, 2) + whole(2010, 1));
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"2010.0 insert public.t (0, row)"}));
  EXPECT_EQ(progress(*batch), (Strings{"2020 after 1"}));
}

TEST(Decoder, DropsWhatAReconnectBringsAgain) {
  Feed feed;
  feed.decode(whole(1000, 2) + whole(2000, 2));
  feed.reconnect();
  const auto batch = feed.decode(whole(1000, 2) + whole(2000, 2) + whole(3000, 1));
  EXPECT_EQ(changes(*batch), (Strings{"3000.0 insert public.t (0, row)"}));
  EXPECT_EQ(progress(*batch), (Strings{"3010 after 1"}));
}

TEST(Decoder, BeginsAnewBelowWhatWentDownTheStreet) {
  Feed feed;
  feed.decode(whole(1000, 2) + opened(2000, 1));
  feed.begin_anew({Lsn{1000}, Lsn{}, 0});
  const auto batch = feed.decode(whole(1000, 1) + whole(2000, 2));
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (0, row)", "2000.0 insert public.t (0, row)",
                                      "2000.1 insert public.t (1, row)"}));
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 1", "2010 after 3"}));
}

TEST(Decoder, BeginsAnewWhereAnotherHasGone) {
  Feed feed;
  feed.decode(whole(1000, 2));
  feed.begin_anew({Lsn{3010}, Lsn{4000}, 1});
  const auto batch = feed.decode(whole(2000, 1) + whole(4000, 2));
  EXPECT_EQ(changes(*batch), (Strings{"4000.1 insert public.t (1, row)"}));
}

TEST(Decoder, PrintsAMessageAgainThatAnotherBeginningBrings) {
  Feed feed;
  EXPECT_EQ(feed.decode({at(500, logical_message(false, 500, "p", "x"))})->changes.size(), 1U);
  feed.begin_anew({Lsn{400}, Lsn{}, 0});
  EXPECT_EQ(feed.decode({at(500, logical_message(false, 500, "p", "x"))})->changes.size(), 1U);
}

TEST(Decoder, GoesOnInsideATransactionThatAReconnectCut) {
  Feed feed;
  feed.decode(opened(1000, 3));
  feed.reconnect();
  const auto batch = feed.decode(whole(1000, 5) + whole(2000, 1));
  EXPECT_EQ(changes(*batch), (Strings{"1000.3 insert public.t (3, row)", "1000.4 insert public.t (4, row)",
                                      "2000.0 insert public.t (0, row)"}));
  EXPECT_EQ(progress(*batch), (Strings{"1010 after 2", "2010 after 3"}));
  EXPECT_EQ(batch->cells.size(), 6U) << "cells of dropped changes stay behind";
}

TEST(Decoder, GoesOnAfterASecondCutWhileStillSkipping) {
  Feed feed;
  feed.decode(opened(1000, 4));
  feed.reconnect();
  EXPECT_TRUE(feed.decode(opened(1000, 2))->changes.empty());
  feed.reconnect();
  EXPECT_TRUE(feed.decode({})->changes.empty());
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode(whole(1000, 6))), (std::vector<std::uint64_t>{4, 5}));
}

TEST(Decoder, GoesOnAfterASecondCutPastTheFirst) {
  Feed feed;
  feed.decode(opened(1000, 2));
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode(opened(1000, 4))), (std::vector<std::uint64_t>{2, 3}));
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode(whole(1000, 5))), (std::vector<std::uint64_t>{4}));
}

TEST(Decoder, GoesOnInsideTheTransactionOfAStoredOffset) {
  Feed feed({Lsn{500}, Lsn{1000}, 2});
  const auto batch = feed.decode(whole(1000, 4) + whole(2000, 1));
  EXPECT_EQ(changes(*batch), (Strings{"1000.2 insert public.t (2, row)", "1000.3 insert public.t (3, row)",
                                      "2000.0 insert public.t (0, row)"}));
}

TEST(Decoder, RemembersAStoredOpenTransactionThroughAConnectionThatBroughtNothing) {
  Feed feed({Lsn{500}, Lsn{1000}, 2});
  feed.decode({keepalive(600)});
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode(whole(1000, 3))), (std::vector<std::uint64_t>{2}));
}

TEST(Decoder, GoesOnInsideACutTransactionAfterKeepalives) {
  Feed feed;
  feed.decode(opened(1000, 3));
  feed.reconnect();
  feed.decode({keepalive(900)});
  EXPECT_EQ(indexes(*feed.decode(whole(1000, 4))), (std::vector<std::uint64_t>{3}));
}

TEST(Decoder, CountsEveryKindOfChangeWhileItSkips) {
  const Strings frames{at(0, begin(1000)),
                       at(0, relation(plain_table())),
                       at(0, relation(other_table())),
                       at(910, insert(kPlain, {"1", "a"})),
                       at(920, update(kPlain, 'O', {"1", "a"}, {"1", "b"})),
                       at(930, logical_message(true, 930, "p", "x")),
                       at(940, truncate({kPlain, kOther})),
                       at(950, remove(kPlain, 'K', {"1", kNullValue}))};
  for (std::size_t cut = 0; cut <= frames.size(); ++cut) {
    Feed feed;
    const Strings before(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(cut));
    auto all = changes(*feed.decode(before));
    feed.reconnect();
    all = all + changes(*feed.decode(frames));
    EXPECT_EQ(all, (Strings{"1000.0 insert public.t (1, a)", "1000.1 update public.t old(1, a) -> (1, b)",
                            "1000.2 message (p, x)", "1000.3 truncate public.t", "1000.4 truncate public.other",
                            "1000.5 delete public.t key(1, NULL)"}))
        << "cut before frame " << cut;
  }
}

TEST(Decoder, DropsAMessageOutsideTransactionsThatComesAgain) {
  Feed feed;
  feed.decode({at(500, logical_message(false, 500, "p", "1")), at(600, logical_message(false, 600, "p", "2"))});
  feed.reconnect();
  const auto batch =
      feed.decode({at(600, logical_message(false, 600, "p", "2")), at(700, logical_message(false, 700, "p", "3"))});
  EXPECT_EQ(changes(*batch), (Strings{"699.0 message (p, 3)"}));
}

TEST(Decoder, LeavesNoTraceOfADroppedTransaction) {
  Feed feed({Lsn{5000}, Lsn{}, 0});
  const auto batch = feed.decode(whole(1000, 3) + opened(2000, 1));
  EXPECT_TRUE(batch->changes.empty());
  EXPECT_TRUE(batch->cells.empty());
  EXPECT_TRUE(batch->transactions.empty());
  EXPECT_TRUE(batch->progress_points.empty());
}

TEST(Decoder, RemembersAStoredOpenTransactionThroughACutInADroppedOne) {
  Feed feed({Lsn{5000}, Lsn{5100}, 2});
  feed.decode(opened(1000, 3));
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode(whole(1000, 3) + whole(5100, 3))), (std::vector<std::uint64_t>{2}));
}

}  // namespace
}  // namespace walcat::test
