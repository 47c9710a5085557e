// What a decoder makes of frames that a capture brings: chunks that have passed their window, sessions of several runs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

using testing::SizeIs;

// A transaction of one row.
Strings transaction(std::uint64_t commit_lsn) {
  return {at(0, begin(commit_lsn)), at(0, relation(plain_table())), at(commit_lsn, insert(kPlain, {"1", "v"})),
          at(0, commit(commit_lsn, commit_lsn + 10))};
}

TEST(DecoderOfAReplay, PrintsEveryRowOfAChunk) {
  Feed feed;
  feed.decode(transaction(200));
  const auto source = source_of(plain_table(), 0, 1);
  for (int pass = 0; pass < 2; ++pass) {
    const auto batch = feed.pack_rows(source, {"1\ta", "2\t\\N"});
    batch->chunk = 7;
    batch->chunk_commit_lsn = Lsn{200};
    batch->chunk_commit_time = 4711;
    feed.decode(*batch);
    ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
    EXPECT_EQ(changes(*batch), (Strings{"200.1 read public.t (1, a)", "200.2 read public.t (2, NULL)"}));
    EXPECT_EQ(batch->transactions.front().commit_time, 4711);
    for (const Change& change : batch->changes) EXPECT_EQ(change.mark, SnapshotMark::kIncremental);
  }
  EXPECT_EQ(changes(*feed.decode(transaction(300))), (Strings{"300.0 insert public.t (1, v)"})) << "the stream goes on";
}

class SessionsOfRuns : public testing::Test {
 protected:
  // The commit that the line of the next transaction names as the one before.
  Lsn previous_commit(std::uint64_t commit_lsn, std::int64_t run) {
    const auto batch = feed_.pack(transaction(commit_lsn));
    batch->run = run;
    feed_.decode(*batch);
    EXPECT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    EXPECT_THAT(batch->transactions, SizeIs(1));
    return batch->transactions.empty() ? Lsn{} : batch->transactions[0].previous_commit;
  }

  Feed feed_;
};

TEST_F(SessionsOfRuns, KnowTheCommitBeforeWithinARun) {
  EXPECT_EQ(previous_commit(100, 7), Lsn{});
  EXPECT_EQ(previous_commit(200, 7), Lsn{110});
  feed_.reconnect();
  EXPECT_EQ(previous_commit(300, 7), Lsn{210});
}

// As its lines had it when it ran.
TEST_F(SessionsOfRuns, ForgetTheCommitOfAnotherRun) {
  previous_commit(100, 7);
  feed_.reconnect();
  EXPECT_EQ(previous_commit(200, 8), Lsn{});
  EXPECT_EQ(previous_commit(300, 8), Lsn{210});
}

class NotesOfTheCatalog : public testing::Test {
 protected:
  // The relation as a change has it, of a decoder that heeds notes or does not: of the stream, or of a snapshot.
  static std::shared_ptr<const Relation> relation_of(bool use_notes, bool is_snapshot) {
    auto note = std::make_shared<RelationNote>();
    note->relation_oid = kPlain;
    note->columns = {{"id", true}, {"v", true}};
    note->key = {"id"};
    DecoderOptions options;
    options.use_notes = use_notes;
    Feed feed({}, 4096, options);
    auto source = source_of(plain_table());
    source->note = note;
    const auto batch = is_snapshot ? feed.pack_rows(source, {"1\ta"}) : feed.pack(transaction(100));
    batch->notes = {note};
    feed.decode(*batch);
    EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
    EXPECT_THAT(batch->changes, SizeIs(1));
    return batch->relations.front();
  }
};

TEST_F(NotesOfTheCatalog, AreHeededUnlessNobodyWantsThem) {
  for (const bool is_snapshot : {false, true}) {
    SCOPED_TRACE(is_snapshot ? "snapshot" : "stream");
    const auto with = relation_of(true, is_snapshot);
    EXPECT_TRUE(with->columns[1].not_null);
    EXPECT_THAT(with->key, testing::ElementsAre(0));
    const auto without = relation_of(false, is_snapshot);
    EXPECT_FALSE(without->columns[1].not_null);
    EXPECT_THAT(without->key, testing::IsEmpty());
  }
}

}  // namespace
}  // namespace walcat::test
