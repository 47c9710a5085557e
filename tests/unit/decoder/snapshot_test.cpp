// Rows of a snapshot: what they become, and that the stream goes on beside them as if they had not been there.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::uint64_t kSecondSession = kSnapshotSessionRows;

TableSpec other_table() { return {16400, "public", "u", 'd', {{"x", kInt4, true}}}; }

DecoderOptions selecting(const SelectionOptions& selection) {
  DecoderOptions options;
  options.selection = *Selection::compile(selection);
  return options;
}

std::string mark_name(SnapshotMark mark) {
  switch (mark) {
    case SnapshotMark::kNone: return "none";
    case SnapshotMark::kFirst: return "first";
    case SnapshotMark::kFirstOfTable: return "first of table";
    case SnapshotMark::kInside: return "inside";
    case SnapshotMark::kLastOfTable: return "last of table";
    case SnapshotMark::kLast: return "last";
    case SnapshotMark::kIncremental: return "incremental";
  }
  return "?";
}

// The marks of a batch of `rows` rows that was given these two.
Strings marks(std::size_t rows, SnapshotMark first, SnapshotMark last) {
  Feed feed;
  const auto batch = feed.pack_rows(source_of(plain_table()), Strings(rows, "1\ta"));
  batch->first_mark = first;
  batch->last_mark = last;
  feed.decode(*batch);
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  Strings all;
  for (const Change& change : batch->changes) all.push_back(mark_name(change.mark));
  return all;
}

TEST(DecoderSnapshot, TurnsRowsIntoReads) {
  Feed feed;
  const auto batch = feed.decode_rows(source_of(plain_table()), {"1\tone", "2\t\\N", "3\t", "4\ta\\tb\\\\N"});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, one)", "1000.1 read public.t (2, NULL)",
                                      "1000.2 read public.t (3, )", "1000.3 read public.t (4, a\tb\\N)"}));
}

TEST(DecoderSnapshot, GivesRowsThePointsPositionAndTheSnapshotsTime) {
  Feed feed;
  const auto source = source_of(plain_table(), 0x16B374D848);
  source->began = 823'123'123'123;
  const auto batch = feed.decode_rows(source, {"1\ta", "2\tb"});
  ASSERT_EQ(batch->transactions.size(), 1U);
  EXPECT_EQ(batch->transactions[0].commit_lsn, Lsn{0x16B374D848});
  EXPECT_EQ(batch->transactions[0].commit_time, 823'123'123'123);
  EXPECT_EQ(batch->transactions[0].xid, 0U);
  EXPECT_EQ(batch->transactions[0].index_base, 0U);
  for (const Change& change : batch->changes) {
    EXPECT_EQ(change.lsn, Lsn{0x16B374D848});
    EXPECT_EQ(change.transaction, 0U);
    EXPECT_EQ(change.old_tuple, OldTuple::kNone);
  }
  EXPECT_TRUE(batch->progress_points.empty()) << "rows say nothing of how far the stream has come";
}

TEST(DecoderSnapshot, NumbersRowsOnOverBatchesAndTables) {
  Feed feed;
  const auto t = source_of(plain_table());
  const auto u = source_of(other_table());
  EXPECT_EQ(indexes(*feed.decode_rows(t, {"1\ta", "2\tb"})), (std::vector<std::uint64_t>{0, 1}));
  EXPECT_EQ(changes(*feed.decode_rows(u, {"7"})), (Strings{"1000.2 read public.u (7)"}));
  EXPECT_EQ(changes(*feed.decode_rows(t, {"3\tc"})), (Strings{"1000.3 read public.t (3, c)"}));
  EXPECT_EQ(indexes(*feed.decode_rows(u, {"8", "9"})), (std::vector<std::uint64_t>{4, 5}));
  EXPECT_EQ(indexes(*feed.decode_rows(u, {"10"})), (std::vector<std::uint64_t>{6}));
}

TEST(DecoderSnapshot, NumbersTheRowsOfEachSessionFromItsOwnBase) {
  Feed feed;
  feed.decode_rows(source_of(plain_table()), {"1\ta", "2\tb"});
  feed.decode_rows(source_of(other_table()), {"7"});
  feed.reconnect();
  const auto t = source_of(plain_table(), 1000, kSecondSession);
  const auto u = source_of(other_table(), 1000, kSecondSession);
  EXPECT_EQ(indexes(*feed.decode_rows(t, {"1\ta", "2\tb"})),
            (std::vector<std::uint64_t>{kSecondSession, kSecondSession + 1}));
  EXPECT_EQ(indexes(*feed.decode_rows(u, {"7"})), (std::vector<std::uint64_t>{kSecondSession + 2}));
  feed.reconnect();
  EXPECT_EQ(indexes(*feed.decode_rows(source_of(other_table(), 1000, 2 * kSecondSession), {"7"})),
            (std::vector<std::uint64_t>{2 * kSecondSession}));
}

TEST(DecoderSnapshot, MarksTheFirstAndTheLastRow) {
  using Mark = SnapshotMark;
  EXPECT_EQ(marks(3, Mark::kFirst, Mark::kLast), (Strings{"first", "inside", "last"}));
  EXPECT_EQ(marks(3, Mark::kFirstOfTable, Mark::kLastOfTable), (Strings{"first of table", "inside", "last of table"}));
  EXPECT_EQ(marks(3, Mark::kInside, Mark::kInside), (Strings{"inside", "inside", "inside"}));
  EXPECT_EQ(marks(2, Mark::kFirst, Mark::kInside), (Strings{"first", "inside"}));
  EXPECT_EQ(marks(2, Mark::kInside, Mark::kLast), (Strings{"inside", "last"}));
}

TEST(DecoderSnapshot, LetsTheLastMarkGoBeforeTheFirstOnARowThatIsBoth) {
  using Mark = SnapshotMark;
  EXPECT_EQ(marks(1, Mark::kFirst, Mark::kLast), Strings{"last"});
  EXPECT_EQ(marks(1, Mark::kFirst, Mark::kLastOfTable), Strings{"last of table"});
  EXPECT_EQ(marks(1, Mark::kFirst, Mark::kInside), Strings{"first"});
  EXPECT_EQ(marks(1, Mark::kInside, Mark::kInside), Strings{"inside"});
  EXPECT_EQ(marks(0, Mark::kFirst, Mark::kLast), Strings{});
}

TEST(DecoderSnapshot, MarksNothingOfTheStream) {
  Feed feed;
  feed.decode_rows(source_of(plain_table()), {"1\ta"});
  const auto batch =
      feed.decode({at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"1", "a"}))});
  ASSERT_EQ(batch->changes.size(), 1U);
  EXPECT_EQ(batch->changes[0].mark, SnapshotMark::kNone);
}

TEST(DecoderSnapshot, TakesATableWithoutColumns) {
  Feed feed;
  const auto batch = feed.decode_rows(source_of({16390, "public", "none", 'd', {}}), {"", "", ""});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch),
            (Strings{"1000.0 read public.none ()", "1000.1 read public.none ()", "1000.2 read public.none ()"}));
}

TEST(DecoderSnapshot, TakesARowLargerThanABatch) {
  Feed feed({}, 64);
  const std::string large(100'000, 'x');
  const auto batch = feed.decode_rows(source_of(plain_table()), {"1\t" + large + "\\n"});
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, " + large + "\n)"}));
}

TEST(DecoderSnapshot, TakesABatchThatOnlySaysWhatIsDone) {
  Feed feed;
  const auto done = feed.pack({});
  done->chunks_done = {{16384, 16384, 3}};
  feed.decode(*done);
  EXPECT_TRUE(feed.status().is_ok());
  EXPECT_EQ(done->chunks_done.size(), 1U);
  const auto end = feed.pack({});
  end->ends_snapshot = true;
  feed.decode(*end);
  EXPECT_TRUE(feed.status().is_ok());
  EXPECT_TRUE(end->ends_snapshot);
  EXPECT_TRUE(end->changes.empty());
  EXPECT_TRUE(end->progress_points.empty());
  EXPECT_EQ(indexes(*feed.decode_rows(source_of(plain_table()), {"1\ta"})), (std::vector<std::uint64_t>{0}));
}

// What is wanted.

TEST(DecoderSnapshot, ReadsNothingOfATableThatIsNotWanted) {
  Feed feed({}, 4096, selecting({.exclude_tables = {"public\\.t"}}));
  const auto batch = feed.pack_rows(source_of(plain_table()), {"1\ta", "malformed"});
  batch->chunks_done = {{kPlain, kPlain, 0}};
  feed.decode(*batch);
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_TRUE(batch->changes.empty());
  EXPECT_EQ(batch->chunks_done.size(), 1U) << "its chunk is done all the same";
  EXPECT_EQ(changes(*feed.decode_rows(source_of(other_table()), {"7"})), (Strings{"1000.0 read public.u (7)"}));
}

TEST(DecoderSnapshot, AppliesTheRulesOfColumnsAndTheConfiguredKey) {
  Feed feed({}, 4096,
            selecting({.exclude_columns = {"public\\.t\\.v"},
                       .mask_columns = {{"public\\.t\\.id", "***"}},
                       .key_columns = {{{"public", "t"}, {"v", "id"}}}}));
  const auto batch = feed.decode_rows(source_of(plain_table()), {"1\ta"});
  ASSERT_EQ(batch->changes.size(), 1U);
  const Relation& relation = *batch->changes[0].relation;
  EXPECT_EQ(relation.columns[0].rule.action, ColumnRule::Action::kMask);
  EXPECT_EQ(relation.columns[1].rule.action, ColumnRule::Action::kOmit);
  EXPECT_EQ(relation.key, (std::vector<std::size_t>{1, 0}));
}

TEST(DecoderSnapshot, DescribesATableByTheCatalogsNote) {
  Feed feed;
  const auto source = source_of(plain_table());
  const auto note = std::make_shared<RelationNote>();
  note->relation_oid = kPlain;
  note->columns = {{"id", true}, {"v", false}};
  note->key = {"id"};
  const auto mood = std::make_shared<Type>();
  mood->name = "mood";
  note->types.emplace(kText, mood);
  source->note = note;
  const auto batch = feed.decode_rows(source, {"1\ta"});
  ASSERT_EQ(batch->changes.size(), 1U);
  const Relation& relation = *batch->changes[0].relation;
  EXPECT_TRUE(relation.columns[0].not_null);
  EXPECT_FALSE(relation.columns[1].not_null);
  EXPECT_EQ(relation.columns[1].type, mood);
  EXPECT_EQ(relation.key, std::vector<std::size_t>{0});
}

TEST(DecoderSnapshot, KeepsTheRelationOfItsRowsAlive) {
  Feed feed;
  auto first = feed.decode_rows(source_of(plain_table()), {"1\ta"});
  const auto second = feed.decode_rows(source_of(other_table()), {"7"});
  feed.reconnect();
  feed.decode({at(0, begin(2000))});
  EXPECT_EQ(changes(*first), (Strings{"1000.0 read public.t (1, a)"}));
  first.reset();
  EXPECT_EQ(changes(*second), (Strings{"1000.1 read public.u (7)"}));
}

// Two workers read two tables, and their batches come in turns: keeping the object keeps what is rendered from it.
TEST(DecoderSnapshot, KeepsTheRelationOfATableThatItComesBackTo) {
  Feed feed;
  const auto t = source_of(plain_table());
  const auto u = source_of(other_table());
  const auto first = feed.decode_rows(t, {"1\ta"});
  const auto between = feed.decode_rows(u, {"7"});
  const auto again = feed.decode_rows(t, {"2\tb"});
  EXPECT_EQ(again->changes.at(0).relation, first->changes.at(0).relation);
  EXPECT_NE(between->changes.at(0).relation, first->changes.at(0).relation);
}

TEST(DecoderSnapshot, PrintsNoRowsWhereReadsAreSkipped) {
  DecoderOptions options;
  options.skipped = 1U << static_cast<unsigned>(Operation::kRead);
  Feed feed({}, 4096, options);
  const auto batch = feed.pack_rows(source_of(plain_table()), {"1\ta", "2\tb"});
  batch->first_mark = SnapshotMark::kFirst;
  batch->last_mark = SnapshotMark::kLast;
  batch->chunks_done = {{kPlain, kPlain, 0}};
  batch->ends_snapshot = true;
  feed.decode(*batch);
  EXPECT_TRUE(feed.status().is_ok());
  EXPECT_TRUE(batch->changes.empty());
  EXPECT_EQ(batch->chunks_done.size(), 1U);
  EXPECT_TRUE(batch->ends_snapshot);
}

TEST(DecoderSnapshot, PrintsRowsWhereOtherOperationsAreSkipped) {
  DecoderOptions options;
  for (const Operation skipped : {Operation::kInsert, Operation::kUpdate, Operation::kDelete, Operation::kTruncate,
                                  Operation::kMessage, Operation::kBegin, Operation::kCommit}) {
    options.skipped |= 1U << static_cast<unsigned>(skipped);
  }
  Feed feed({}, 4096, options);
  EXPECT_EQ(changes(*feed.decode_rows(source_of(plain_table()), {"1\ta"})), (Strings{"1000.0 read public.t (1, a)"}));
}

TEST(DecoderSnapshot, PutsNoBordersOfTransactionsAroundRows) {
  DecoderOptions options;
  options.transactions = true;
  Feed feed({}, 4096, options);
  EXPECT_EQ(changes(*feed.decode_rows(source_of(plain_table()), {"1\ta", "2\tb"})),
            (Strings{"1000.0 read public.t (1, a)", "1000.1 read public.t (2, b)"}));
  const auto stream =
      feed.decode({at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"3", "c"}))});
  ASSERT_EQ(stream->changes.size(), 2U);
  EXPECT_EQ(stream->changes[0].operation, Operation::kBegin);
  EXPECT_EQ(stream->changes[1].total_order, 1U) << "rows are not counted";
  EXPECT_EQ(stream->changes[1].table_order, 1U);
}

// Faults.

TEST(DecoderSnapshot, NamesTheRelationOfARowThatDoesNotFit) {
  for (const char* bad : {"1", "1\ta\tb", "", "2\ta\\"}) {
    Feed feed;
    const auto batch = feed.pack_rows(source_of(plain_table()), {"1\tkept", bad, "3\tnever read"});
    batch->chunks_done = {{kPlain, kPlain, 0}};
    batch->ends_snapshot = true;
    feed.decode(*batch);
    EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError) << bad;
    EXPECT_THAT(feed.status().message(), AllOf(HasSubstr("public.t"), HasSubstr("2 columns"))) << bad;
    EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, kept)"})) << bad;
    EXPECT_TRUE(batch->chunks_done.empty()) << "a chunk that was not read counts as done after " << bad;
    EXPECT_FALSE(batch->ends_snapshot) << bad;
  }
}

TEST(DecoderSnapshot, RefusesARowOfATableWithoutColumnsThatHoldsSomething) {
  Feed feed;
  const auto batch = feed.decode_rows(source_of({16390, "public", "none", 'd', {}}), {"", "x"});
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(batch->changes.size(), 1U);
}

TEST(DecoderSnapshot, ReplacesTextThatIsNoUtf8) {
  Feed feed;
  const auto batch =
      feed.pack_rows(source_of(plain_table()), {"1\tM\xFCller\\n", "2\tplain", "3\t\\N", "4\t\xE2\x82\\\\"});
  batch->chunks_done = {{kPlain, kPlain, 0}};
  feed.decode(*batch);
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, M\uFFFDller\n)", "1000.1 read public.t (2, plain)",
                                      "1000.2 read public.t (3, NULL)", "1000.3 read public.t (4, \uFFFD\\)"}));
  EXPECT_EQ(batch->values_repaired, 2U);
  EXPECT_EQ(batch->chunks_done.size(), 1U);
}

// The rows before it are printed, and nothing else looks at their text.
TEST(DecoderSnapshot, ReplacesTextThatIsNoUtf8BeforeAMalformedRow) {
  Feed feed;
  const auto batch = feed.pack_rows(source_of(plain_table()), {"1\tM\xFCller", "2"});
  feed.decode(*batch);
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, M\uFFFDller)"}));
}

TEST(DecoderSnapshot, RefusesTextThatIsNoUtf8WhereThatIsAsked) {
  DecoderOptions options;
  options.refuse_invalid_utf8 = true;
  Feed feed({}, 4096, options);
  const auto batch = feed.pack_rows(source_of(plain_table()), {"1\tkept", "2\tM\xFCller", "3\tlater"});
  batch->chunks_done = {{kPlain, kPlain, 0}};
  batch->ends_snapshot = true;
  feed.decode(*batch);
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
  EXPECT_THAT(feed.status().message(),
              AllOf(HasSubstr("relation public.t, column v"), HasSubstr("output.invalid_utf8: replace")));
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 read public.t (1, kept)"}));
  EXPECT_TRUE(batch->chunks_done.empty());
  EXPECT_FALSE(batch->ends_snapshot);
}

// An SQL_ASCII database lets any byte into a name. The stream's names come through replaced, and a table must not have
// two names.
TEST(DecoderSnapshot, NamesATableAsTheStreamDoesWhereNamesAreNoUtf8) {
  const TableSpec table{kPlain, "sch\xE4ma", "t\xFF", 'd', {{"\xE9t\xE9", kInt4, true}}};
  Feed feed;
  const auto rows = feed.pack_rows(source_of(table), {"1"});
  feed.decode(*rows);
  const auto stream = feed.pack({at(0, begin(2000)), at(0, relation(table)), at(1910, insert(kPlain, {"2"}))});
  feed.decode(*stream);
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  ASSERT_EQ(rows->changes.size(), 1U);
  ASSERT_EQ(stream->changes.size(), 1U);
  const Relation& of_rows = *rows->changes[0].relation;
  const Relation& of_stream = *stream->changes[0].relation;
  EXPECT_EQ(of_stream.name, "t\uFFFD");
  EXPECT_EQ(of_rows.schema, of_stream.schema);
  EXPECT_EQ(of_rows.name, of_stream.name);
  EXPECT_EQ(of_rows.columns[0].name, of_stream.columns[0].name);
}

// The stream beside it.

TEST(DecoderSnapshot, LeavesTheStreamsRelationsKnown) {
  Feed feed;
  feed.decode({at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"1", "a"})),
               at(2010, commit(2000, 2010))});
  TableSpec changed = plain_table();
  changed.columns.push_back({"w"});
  feed.decode_rows(source_of(changed), {"1\ta\tnew"});
  feed.decode_rows(source_of(other_table()), {"7"});
  const auto batch =
      feed.decode({at(0, begin(3000)), at(2910, insert(kPlain, {"2", "b"})), at(3010, commit(3000, 3010))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"3000.0 insert public.t (2, b)"})) << "of two columns, as the stream said";
  EXPECT_EQ(progress(*batch), Strings{"3010 after 1"});
}

TEST(DecoderSnapshot, DescribesNothingToTheStream) {
  Feed feed;
  feed.decode_rows(source_of(plain_table()), {"1\ta"});
  feed.decode({at(0, begin(2000)), at(1910, insert(kPlain, {"2", "b"}))});
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
}

TEST(DecoderSnapshot, LeavesAnOpenTransactionOpen) {
  Feed feed;
  feed.decode({at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"1", "a"}))});
  feed.decode_rows(source_of(other_table()), {"7", "8"});
  const auto end = feed.pack({});
  end->ends_snapshot = true;
  feed.decode(*end);
  const auto batch = feed.decode({at(1920, insert(kPlain, {"2", "b"})), at(2010, commit(2000, 2010))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"2000.1 insert public.t (2, b)"}));
  EXPECT_EQ(progress(*batch), Strings{"2010 after 1"});
}

TEST(DecoderSnapshot, LeavesWhereTheFirstSessionResumes) {
  Feed feed({Lsn{1500}, Lsn{2000}, 2});
  feed.decode_rows(source_of(plain_table()), {"1\ta"});
  const auto batch = feed.decode(
      {at(0, begin(1200)), at(0, relation(plain_table())), at(1150, insert(kPlain, {"0", "done"})),
       at(1210, commit(1200, 1210)), at(0, begin(2000)), at(1910, insert(kPlain, {"1", "done"})),
       at(1920, insert(kPlain, {"2", "done"})), at(1930, insert(kPlain, {"3", "new"})), at(2010, commit(2000, 2010))});
  EXPECT_EQ(changes(*batch), (Strings{"2000.2 insert public.t (3, new)"}));
}

TEST(DecoderSnapshot, DropsWhatASessionBeforeTheRowsHadSent) {
  Feed feed;
  feed.decode({at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"1", "a"}))});
  feed.reconnect();
  feed.decode_rows(source_of(plain_table(), 1000, kSecondSession), {"7\tz"});
  const auto batch = feed.decode({at(0, begin(2000)), at(0, relation(plain_table())),
                                  at(1910, insert(kPlain, {"1", "a"})), at(1920, insert(kPlain, {"2", "b"}))});
  EXPECT_EQ(changes(*batch), (Strings{"2000.1 insert public.t (2, b)"}));
}

// Whatever commits exactly at the point has the rows' commit LSN: its indices begin above all of theirs.
TEST(DecoderSnapshot, LiftsTheIndicesOfATransactionAtThePoint) {
  Feed feed;
  const auto batch = feed.pack({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                                at(920, insert(kPlain, {"2", "b"})), at(1010, commit(1000, 1010)), at(0, begin(2000)),
                                at(1910, insert(kPlain, {"3", "c"})), at(2010, commit(2000, 2010))});
  batch->snapshot_point = Lsn{1000};
  feed.decode(*batch);
  ASSERT_EQ(batch->transactions.size(), 2U);
  EXPECT_EQ(batch->transactions[0].index_base, kIndexAboveSnapshot);
  EXPECT_EQ(batch->transactions[1].index_base, 0U);
  EXPECT_EQ(indexes(*batch), (std::vector<std::uint64_t>{0, 1, 0})) << "what is resumed is counted without it";
}

TEST(DecoderSnapshot, LiftsTheIndicesOfATransactionAtThePointInEachOfItsBatches) {
  Feed feed;
  const auto first =
      feed.pack({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"}))});
  const auto second = feed.pack({at(920, insert(kPlain, {"2", "b"})), at(1010, commit(1000, 1010))});
  for (Batch* batch : {first.get(), second.get()}) {
    batch->snapshot_point = Lsn{1000};
    feed.decode(*batch);
    ASSERT_EQ(batch->transactions.size(), 1U);
    EXPECT_EQ(batch->transactions[0].index_base, kIndexAboveSnapshot);
  }
}

TEST(DecoderSnapshot, LiftsNoIndexWhereThereWasNoSnapshotThere) {
  Feed feed;
  const auto batch = feed.pack({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                                at(1010, commit(1000, 1010)), at(1100, logical_message(false, 1100, "p", ""))});
  feed.decode(*batch);
  ASSERT_EQ(batch->transactions.size(), 2U);
  for (const Transaction& transaction : batch->transactions) EXPECT_EQ(transaction.index_base, 0U);
}

}  // namespace
}  // namespace walcat::test
