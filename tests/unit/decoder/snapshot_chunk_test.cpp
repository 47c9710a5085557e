// A chunk of an incremental snapshot among the stream's changes: what is printed of it, and that the stream goes on as
// if it had not been there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::uint64_t kChunk = 7;

class SnapshotChunk : public testing::Test {
 protected:
  explicit SnapshotChunk(DecoderOptions options = {}) : options_(std::move(options)) {
    options_.window = window_;
    feed_.emplace(ResumePoint{}, 4096, options_);
  }

  // A worker that has opened its window for the chunk; the stream has described the table.
  void open() {
    window_->follow();
    feed_->decode({at(0, begin(100)), at(0, relation(plain_table())), at(0, commit(100, 110))});
    ASSERT_TRUE(window_->is_following());
    window_->begin_at(1000);
    window_->watch({kPlain, {"id"}});
    window_->open(kChunk);
  }

  // The chunk behind the commit at `lsn`, not yet decoded.
  std::unique_ptr<Batch> chunk_at(std::uint64_t lsn, const Strings& rows, std::uint64_t number = kChunk) {
    auto batch = feed_->pack_rows(source_, rows);
    batch->chunk = number;
    batch->chunk_commit_lsn = Lsn{lsn};
    batch->chunk_commit_time = 4711;
    return batch;
  }
  // The same, held by the worker and decoded.
  std::unique_ptr<Batch> insert_at(std::uint64_t lsn, const Strings& rows) {
    auto batch = chunk_at(lsn, rows);
    window_->hold(*batch, source_->relation, {});
    feed_->decode(*batch);
    return batch;
  }
  std::unique_ptr<Batch> stream(std::uint64_t lsn, const Strings& messages) {
    Strings frames{at(0, begin(lsn, 2000))};
    for (const std::string& message : messages) frames.push_back(at(lsn, message));
    frames.push_back(at(0, commit(lsn, lsn + 10)));
    return feed_->decode(frames);
  }
  const Status& status() const { return feed_->status(); }

  std::shared_ptr<SnapshotWindow> window_ = std::make_shared<SnapshotWindow>();
  DecoderOptions options_;
  std::optional<Feed> feed_;
  std::shared_ptr<const SnapshotSource> source_ = source_of(plain_table(), 0, 1);
};

TEST_F(SnapshotChunk, StandsBehindTheTransactionThatMarksItsPlace) {
  open();
  const auto batch = insert_at(200, {"1\ta", "2\t\\N", "3\tx\\ty"});
  ASSERT_TRUE(status().is_ok()) << status().message();
  EXPECT_EQ(changes(*batch),
            (Strings{"200.1 read public.t (1, a)", "200.2 read public.t (2, NULL)", "200.3 read public.t (3, x\ty)"}));
  ASSERT_THAT(batch->transactions, SizeIs(1));
  EXPECT_EQ(batch->transactions[0].commit_time, 4711);
  for (const Change& change : batch->changes) {
    EXPECT_EQ(change.lsn, Lsn{200});
    EXPECT_EQ(change.mark, SnapshotMark::kIncremental);
  }
  EXPECT_THAT(batch->progress_points, IsEmpty()) << "it says nothing of how far the stream has come";
}

TEST_F(SnapshotChunk, LeavesOutWhatTheStreamTouched) {
  open();
  stream(150, {insert(kPlain, {"1", "new"}), update(kPlain, {"2", "new"}), remove(kPlain, 'K', {"3", kNullValue}),
               update(kPlain, 'K', {"4", kNullValue}, {"5", "new"}), update(kPlain, 'O', {"6", "f"}, {"6", "new"})});
  const auto batch = insert_at(200, {"1\ta", "2\tb", "3\tc", "4\td", "5\te", "6\tf", "7\tg", "8\th"});
  EXPECT_EQ(changes(*batch), (Strings{"200.1 read public.t (7, g)", "200.2 read public.t (8, h)"}))
      << "numbered without a hole";
  EXPECT_EQ(batch->cells.size(), 4U);
  const auto verdict = window_->wait_for_verdict();
  ASSERT_TRUE(verdict.has_value());
  EXPECT_EQ(verdict->printed, 2U);
  EXPECT_EQ(verdict->left_out, 6U);
  EXPECT_FALSE(verdict->again);
}

TEST_F(SnapshotChunk, LeavesOutWhatIsTouchedWhileItIsOnItsWay) {
  open();
  const auto batch = chunk_at(200, {"1\ta", "2\tb"});
  window_->hold(*batch, source_->relation, {});
  stream(190, {update(kPlain, {"2", "new"})});
  feed_->decode(*batch);
  EXPECT_EQ(changes(*batch), (Strings{"200.1 read public.t (1, a)"}));
}

TEST_F(SnapshotChunk, LeavesOutATruncatedTable) {
  open();
  stream(150, {truncate({kPlain})});
  EXPECT_THAT(changes(*insert_at(200, {"1\ta"})), IsEmpty());
  EXPECT_FALSE(window_->wait_for_verdict()->again);
}

// A change that is not printed was printed before, by an earlier session.
TEST_F(SnapshotChunk, LeavesOutWhatAReconnectBringsOnceMore) {
  open();
  stream(150, {update(kPlain, {"1", "new"})});
  feed_->reconnect();
  window_->close();
  window_->open(kChunk);
  const auto again = feed_->decode({at(0, begin(150, 2000)), at(0, relation(plain_table())),
                                    at(150, update(kPlain, {"1", "new"})), at(0, commit(150, 160))});
  EXPECT_THAT(changes(*again), IsEmpty());
  EXPECT_EQ(changes(*insert_at(200, {"1\ta", "2\tb"})), (Strings{"200.1 read public.t (2, b)"}));
}

TEST_F(SnapshotChunk, PrintsNothingThatIsNotExpected) {
  const auto early = chunk_at(50, {"1\ta"});
  feed_->decode(*early);
  EXPECT_THAT(changes(*early), IsEmpty()) << "nobody follows";
  open();
  const auto other = chunk_at(200, {"1\ta"}, kChunk + 1);
  feed_->decode(*other);
  EXPECT_THAT(changes(*other), IsEmpty());
  EXPECT_TRUE(status().is_ok());
  EXPECT_THAT(changes(*insert_at(200, {"1\ta"})), SizeIs(1));
  window_->wait_for_verdict();
  const auto twice = chunk_at(210, {"1\ta"});
  feed_->decode(*twice);
  EXPECT_THAT(changes(*twice), IsEmpty());
}

TEST_F(SnapshotChunk, PrintsNothingThatWasForgottenOnItsWay) {
  open();
  const auto batch = chunk_at(200, {"1\ta"});
  window_->hold(*batch, source_->relation, {});
  window_->forget();
  feed_->decode(*batch);
  EXPECT_THAT(changes(*batch), IsEmpty());
  EXPECT_TRUE(status().is_ok());
}

TEST_F(SnapshotChunk, CountsItsRowsAnew) {
  open();
  EXPECT_EQ(indexes(*insert_at(200, {"1\ta", "2\tb"})), (std::vector<std::uint64_t>{1, 2}));
  window_->wait_for_verdict();
  window_->open(kChunk);
  EXPECT_EQ(changes(*insert_at(300, {"3\tc"})), (Strings{"300.1 read public.t (3, c)"}));
}

TEST_F(SnapshotChunk, TellsNothingOfARowThatDoesNotFit) {
  open();
  const auto batch = insert_at(200, {"1\ta", "2"});
  EXPECT_EQ(status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(changes(*batch), (Strings{"200.1 read public.t (1, a)"}));
}

TEST_F(SnapshotChunk, LeavesTheStreamAlone) {
  open();
  const auto before = feed_->decode({at(0, begin(150)), at(150, insert(kPlain, {"9", "a"}))});
  insert_at(140, {"1\ta"});
  const auto after = feed_->decode({at(150, insert(kPlain, {"10", "b"})), at(0, commit(150, 160))});
  EXPECT_EQ(changes(*before), (Strings{"150.0 insert public.t (9, a)"}));
  EXPECT_EQ(changes(*after), (Strings{"150.1 insert public.t (10, b)"}));
  EXPECT_THAT(progress(*after), ElementsAre("160 after 1"));
}

class SkippedChunk : public SnapshotChunk {
 protected:
  SkippedChunk() : SnapshotChunk(without_reads()) {}
  static DecoderOptions without_reads() {
    DecoderOptions options;
    options.skipped = 1U << static_cast<unsigned>(Operation::kRead);
    return options;
  }
};

TEST_F(SkippedChunk, PassesWithoutARow) {
  open();
  EXPECT_THAT(changes(*insert_at(200, {"1\ta"})), IsEmpty());
  EXPECT_TRUE(window_->wait_for_verdict().has_value()) << "the worker goes on";
}

// Whoever keeps rows to print them later shall have them, without those that the stream knows better.
TEST_F(SkippedChunk, IsShownBeforeItIsDropped) {
  std::vector<Strings> shown;
  options_.chunk_passed = [&](const Batch& batch) { shown.push_back(changes(batch)); };
  feed_.emplace(ResumePoint{}, 4096, options_);
  open();
  stream(150, {update(kPlain, {"2", "new"})});
  EXPECT_THAT(changes(*insert_at(200, {"1\ta", "2\told", "3\tc"})), IsEmpty());
  EXPECT_THAT(shown, ElementsAre(Strings{"200.1 read public.t (1, a)", "200.2 read public.t (3, c)"}));
}

// What marks a place, or asks, is for the reader.
TEST(DecoderSnapshotMessages, AreCountedAndNotPrinted) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(100)), at(90, logical_message(true, 90, "walcat.snapshot", "{}")),
                                  at(91, logical_message(true, 91, "other", "text")), at(0, commit(100, 110))});
  EXPECT_EQ(changes(*batch), (Strings{"100.1 message (other, text)"}));
  EXPECT_THAT(progress(*batch), ElementsAre("110 after 1"));
}

TEST(DecoderSnapshotMessages, AreCountedInATransactionThatWasCut) {
  Feed feed({Lsn{50}, Lsn{100}, 2});
  const auto batch = feed.decode({at(0, begin(100)), at(90, logical_message(true, 90, "walcat.snapshot", "{}")),
                                  at(91, logical_message(true, 91, "a", "")),
                                  at(92, logical_message(true, 92, "b", "")), at(0, commit(100, 110))});
  EXPECT_EQ(changes(*batch), (Strings{"100.2 message (b, )"}));
}

TEST(DecoderSnapshotMessages, OutsideTransactionsAreNothing) {
  Feed feed;
  const auto batch = feed.decode({at(90, logical_message(false, 90, "walcat.snapshot", "{}")),
                                  at(95, logical_message(false, 95, "walcat.snapshots", "x"))});
  EXPECT_EQ(changes(*batch), (Strings{"94.0 message (walcat.snapshots, x)"}));
}

}  // namespace
}  // namespace walcat::test
