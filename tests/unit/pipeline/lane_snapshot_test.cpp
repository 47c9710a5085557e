// How a lane learns what of a snapshot is done: with the last line, never before.

#include <gtest/gtest.h>

#include "decoder/feed.h"
#include "pipeline/lane.h"

namespace walcat::test {
namespace {

SnapshotProgress::Table table(std::uint32_t oid, std::size_t chunks) {
  SnapshotProgress::Table table;
  table.oid = table.filenode = oid;
  table.done.resize(chunks);
  return table;
}

class LaneSnapshot : public testing::Test {
 protected:
  LaneSnapshot() {
    Offset offset{"7301", 1, "db1", "s", "p", {Lsn{1000}, Lsn{}, 0}};
    offset.snapshot.emplace();
    offset.snapshot->point = Lsn{1000};
    offset.snapshot->sessions = 1;
    offset.snapshot->tables = {table(1, 3), table(2, 1)};
    lane_.publish_identity(offset);
  }

  // A batch of rows, decoded.
  std::unique_ptr<Batch> rows(std::size_t count, const std::vector<ChunkId>& done = {}, bool ends = false) {
    auto batch = feed_.pack_rows(source_, Strings(count, "1\ta"));
    batch->chunks_done = done;
    batch->ends_snapshot = ends;
    feed_.decode(*batch);
    return batch;
  }
  // The output took the first `written` changes, all told.
  void write(Batch& batch, std::size_t written) {
    batch.changes_written = static_cast<std::uint32_t>(written);
    lane_.note_written(batch);
  }
  void write_whole(Batch& batch) { write(batch, batch.changes.size()); }

  // Chunks of the tables as text, such as `x.. .`: x is done.
  std::string done() const {
    const auto progress = lane_.snapshot();
    std::string text;
    for (const auto& one : progress->tables) {
      text += text.empty() ? "" : " ";
      for (const bool chunk : one.done) text += chunk ? 'x' : '.';
    }
    return text;
  }

  Feed feed_;
  std::shared_ptr<const SnapshotSource> source_ = source_of(plain_table());
  Lane lane_{0, DatabaseOptions{}, DecoderOptions{}, BatchPlan{.batch_bytes = 1024, .shared = 2}};
};

TEST_F(LaneSnapshot, BeginsWithWhatWasPublished) {
  EXPECT_EQ(done(), "... .");
  EXPECT_FALSE(lane_.take_snapshot_news());
  EXPECT_FALSE(lane_.chunks_due.load());
}

TEST_F(LaneSnapshot, FindsTablesWhereTheyStandOnceTheProgressIsAnother) {
  write_whole(*rows(1, {{1, 1, 0}, {2, 2, 0}}));
  EXPECT_EQ(done(), "x.. x");
  SnapshotProgress progress = *lane_.snapshot();
  progress.tables = {table(2, 2), table(3, 1), table(1, 3)};
  lane_.publish_snapshot(progress);
  write_whole(*rows(1, {{1, 1, 2}, {2, 2, 1}, {4, 4, 0}, {3, 9, 0}}));
  EXPECT_EQ(done(), ".x . ..x");
}

TEST_F(LaneSnapshot, HasNoneWhereNoneWasTaken) {
  Lane lane{0, DatabaseOptions{}, DecoderOptions{}, BatchPlan{.batch_bytes = 1024}};
  EXPECT_FALSE(lane.snapshot().has_value()) << "before the first session";
  lane.publish_identity({"7301", 1, "db1", "s", "p", {Lsn{500}, Lsn{}, 0}});
  EXPECT_FALSE(lane.snapshot().has_value());
  const auto batch = feed_.decode({keepalive(900)});
  lane.note_written(*batch);
  EXPECT_FALSE(lane.take_snapshot_news());
}

TEST_F(LaneSnapshot, CountsAChunkAsDoneWithItsLastLine) {
  const auto batch = rows(3, {{1, 1, 1}});
  write(*batch, 0);
  EXPECT_EQ(done(), "... .");
  write(*batch, 2);
  EXPECT_EQ(done(), "... .") << "a row is missing";
  EXPECT_FALSE(lane_.take_snapshot_news());
  EXPECT_FALSE(lane_.chunks_due.load());
  write(*batch, 3);
  EXPECT_EQ(done(), ".x. .");
  EXPECT_TRUE(lane_.take_snapshot_news());
  EXPECT_TRUE(lane_.chunks_due.load());
  EXPECT_EQ(lane_.changes_written(), 3U);
}

TEST_F(LaneSnapshot, CountsEveryChunkThatABatchEnds) {
  const auto batch = rows(1, {{1, 1, 0}, {2, 2, 0}, {1, 1, 2}});
  write_whole(*batch);
  EXPECT_EQ(done(), "x.x x");
  write_whole(*rows(1, {{1, 1, 0}}));
  EXPECT_EQ(done(), "x.x x") << "once more is no matter";
}

TEST_F(LaneSnapshot, CountsAChunkWithoutRowsAtOnce) {
  write_whole(*rows(0, {{1, 1, 2}}));
  EXPECT_EQ(done(), "..x .");
  const auto bare = feed_.pack({});
  bare->chunks_done = {{2, 2, 0}};
  feed_.decode(*bare);
  write_whole(*bare);
  EXPECT_EQ(done(), "..x x");
}

TEST_F(LaneSnapshot, CountsNothingThatWasCutOtherwise) {
  // A file that is gone, a chunk that never was, a table nobody knows.
  write_whole(*rows(1, {{1, 99, 0}, {1, 1, 3}, {1, 1, 4'294'967'295}, {7, 7, 0}, {2, 1, 0}}));
  EXPECT_EQ(done(), "... .");
}

TEST_F(LaneSnapshot, HasNoNewsOfRowsThatEndNothing) {
  write_whole(*rows(5));
  EXPECT_FALSE(lane_.take_snapshot_news());
  EXPECT_FALSE(lane_.chunks_due.load());
  EXPECT_EQ(lane_.changes_written(), 5U);
}

TEST_F(LaneSnapshot, TellsItsNewsOnce) {
  write_whole(*rows(1, {{1, 1, 0}}));
  EXPECT_TRUE(lane_.take_snapshot_news());
  EXPECT_FALSE(lane_.take_snapshot_news());
  lane_.return_snapshot_news();
  EXPECT_TRUE(lane_.take_snapshot_news());
}

TEST_F(LaneSnapshot, IsCompleteWithTheLastLineOfAll) {
  const auto batch = rows(2, {{1, 1, 0}}, true);
  write(*batch, 1);
  EXPECT_FALSE(lane_.snapshot()->complete);
  EXPECT_EQ(lane_.snapshot()->tables.size(), 2U);
  write(*batch, 2);
  EXPECT_TRUE(lane_.snapshot()->complete);
  EXPECT_TRUE(lane_.snapshot()->tables.empty());
  EXPECT_EQ(lane_.snapshot()->point, Lsn{1000});
  EXPECT_TRUE(lane_.take_snapshot_news());
}

TEST_F(LaneSnapshot, IsCompleteByABatchThatHoldsNothingElse) {
  const auto end = feed_.pack({});
  end->ends_snapshot = true;
  feed_.decode(*end);
  write_whole(*end);
  EXPECT_TRUE(lane_.snapshot()->complete);
  EXPECT_TRUE(lane_.flush_due.load());
}

TEST_F(LaneSnapshot, CountsNothingOfAChunkThatHeldAMalformedRow) {
  const auto batch = feed_.pack_rows(source_, {"1\ta", "malformed"});
  batch->chunks_done = {{1, 1, 0}};
  batch->ends_snapshot = true;
  feed_.decode(*batch);
  ASSERT_FALSE(feed_.status().is_ok());
  write_whole(*batch);
  EXPECT_EQ(done(), "... .");
  EXPECT_FALSE(lane_.snapshot()->complete);
  EXPECT_EQ(lane_.changes_written(), 1U) << "the row before it was printed";
}

TEST_F(LaneSnapshot, CountsNoChunkBehindLinesThatTheOutputDidNotTake) {
  const auto torn = rows(3, {{1, 1, 0}});
  torn->changes_written = 2;
  lane_.note_written(*torn, true);
  write_whole(*rows(1, {{1, 1, 1}}));
  write_whole(*rows(1, {{2, 2, 0}}, true));
  EXPECT_EQ(done(), "... .");
  EXPECT_FALSE(lane_.snapshot()->complete);
  EXPECT_FALSE(lane_.take_snapshot_news());
  EXPECT_FALSE(lane_.chunks_due.load());
  EXPECT_FALSE(lane_.flush_due.load());
}

TEST_F(LaneSnapshot, KnowsOfIncrementalSnapshotsUpToLinesThatTheOutputDidNotTake) {
  const auto under_way = [](const char* id) {
    IncrementalSnapshot snapshot;
    snapshot.id = id;
    return std::make_shared<const std::vector<IncrementalSnapshot>>(1, snapshot);
  };
  const auto whole = rows(1);
  whole->incremental = under_way("before");
  write_whole(*whole);
  EXPECT_TRUE(lane_.take_snapshot_news());
  const auto torn = rows(2);
  torn->incremental = under_way("with it");
  torn->changes_written = 1;
  lane_.note_written(*torn, true);
  const auto next = rows(1);
  next->incremental = under_way("after");
  write_whole(*next);
  EXPECT_EQ(lane_.identity()->incremental, *under_way("before"));
  EXPECT_FALSE(lane_.take_snapshot_news());
}

TEST_F(LaneSnapshot, StaysWhereTheStreamBegins) {
  const auto batch = rows(3, {{1, 1, 0}});
  write(*batch, 2);
  EXPECT_EQ(lane_.written(), Lsn{1000});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{}) << "rows are no transaction that could be gone on with";
  write(*batch, 3);
  EXPECT_EQ(lane_.written(), Lsn{1000});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
}

TEST_F(LaneSnapshot, LeavesAnOpenTransactionOpen) {
  const auto open = feed_.decode({at(0, begin(2000)), at(0, relation(plain_table())),
                                  at(1910, insert(kPlain, {"1", "a"})), at(1920, insert(kPlain, {"2", "b"}))});
  write_whole(*open);
  ASSERT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{2000}, 2}));
  write_whole(*rows(2, {{1, 1, 0}}));
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{2000}, 2}));
}

// Where a transaction at the point was cut is counted as it is sent, not as it is printed.
TEST_F(LaneSnapshot, CountsAnOpenTransactionAtThePointFromItsOwnBegin) {
  const auto batch = feed_.pack({at(0, begin(1000)), at(0, relation(plain_table())),
                                 at(910, insert(kPlain, {"1", "a"})), at(920, insert(kPlain, {"2", "b"}))});
  batch->snapshot_point = Lsn{1000};
  feed_.decode(*batch);
  ASSERT_EQ(batch->transactions.at(0).index_base, kIndexAboveSnapshot);
  write_whole(*batch);
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 2}));
}

TEST_F(LaneSnapshot, TakesAnotherSessionsProgress) {
  write_whole(*rows(1, {{1, 1, 0}}));
  SnapshotProgress resumed = *lane_.snapshot();
  resumed.sessions = 2;
  resumed.tables = {table(1, 3)};
  resumed.tables[0].filenode = 99;
  lane_.publish_snapshot(resumed);
  EXPECT_EQ(lane_.snapshot(), resumed);
  EXPECT_EQ(lane_.identity()->snapshot, resumed);
  EXPECT_EQ(lane_.identity()->slot, "s");
  write_whole(*rows(1, {{1, 1, 1}}));
  EXPECT_EQ(done(), "...") << "a chunk of the session before, cut from another file";
  write_whole(*rows(1, {{1, 99, 1}}));
  EXPECT_EQ(done(), ".x.");
}

TEST_F(LaneSnapshot, IsClearOnceAllThatWasShippedHasComeBack) {
  SharedBatches shared(BatchPlan{.batch_bytes = 1024, .shared = 2});
  EXPECT_TRUE(lane_.is_clear());
  for (int i = 0; i < 2; ++i) lane_.ship(lane_.take_free(shared));
  EXPECT_FALSE(lane_.is_clear());
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(lane_.is_clear());
    lane_.deliver(lane_.take_frames());
    auto batch = lane_.collect();
    lane_.pass();
    EXPECT_FALSE(lane_.is_clear()) << "the writer has it";
    lane_.give_back(std::move(batch), shared);
  }
  EXPECT_TRUE(lane_.is_clear());
}

}  // namespace
}  // namespace walcat::test
