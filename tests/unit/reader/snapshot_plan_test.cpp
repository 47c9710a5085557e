// What a snapshot reads, in its first session and in later ones, and by which commands.

#include "reader/snapshot_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "reader/planned_tables.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// The condition that says what the point saw.
std::string younger_than(std::uint64_t xid) {
  return fmt::format(
      "pg_catalog.age(xmin) OPERATOR(pg_catalog.>=) 0 AND pg_catalog.age(xmin) OPERATOR(pg_catalog.<=) "
      "pg_catalog.age('{}'::pg_catalog.xid)",
      xid);
}
std::string or_written_by(std::uint64_t xid) {
  return fmt::format(" OR xmin OPERATOR(pg_catalog.=) '{}'::pg_catalog.xid", xid);
}
const std::string kSeen = "(NOT (" + younger_than(755) + or_written_by(751) + or_written_by(753) + "))";
const std::string kWrittenSince = "(" + younger_than(750) + ")";

SnapshotStart planned(const Relations& relations, SnapshotStart start) {
  plan_reads(relations, {}, start);
  return start;
}

std::vector<std::string> commands(const SnapshotStart& start) {
  std::vector<std::string> all;
  for (const SnapshotTask& task : start.tasks) all.push_back(task.copy);
  return all;
}

// Numbers of the chunks that are read; -1 for what is read beside them.
std::vector<int> chunks_read(const SnapshotStart& start) {
  std::vector<int> all;
  for (const SnapshotTask& task : start.tasks) all.push_back(task.chunk ? static_cast<int>(task.chunk->number) : -1);
  return all;
}

// What reads the rows of public.t that meet `conditions`.
std::string rows_of_t(const std::string& conditions) {
  return R"(COPY (SELECT "id", "v" FROM ONLY "public"."t" WHERE )" + conditions + ") TO STDOUT";
}

std::string pages_between(std::uint64_t first, std::uint64_t end) {
  return fmt::format(
      "ctid OPERATOR(pg_catalog.>=) '({},0)'::pg_catalog.tid AND ctid OPERATOR(pg_catalog.<) '({},0)'::pg_catalog.tid",
      first, end);
}
std::string pages_from(std::uint64_t first) {
  return fmt::format("ctid OPERATOR(pg_catalog.>=) '({},0)'::pg_catalog.tid", first);
}

// Commands.

TEST(SnapshotPlan, ReadsGeneratedColumnsByAQuery) {
  auto sums = published("t", 1, 16);
  sums.has_generated = true;
  const auto start = planned({sums}, begun({sums}));
  EXPECT_THAT(commands(start), ElementsAre(R"(COPY (SELECT "id", "v" FROM ONLY "public"."t") TO STDOUT)"));
}

TEST(SnapshotPlan, ReadsASmallTableWhole) {
  const Relations relations{published("t", 1, 16)};
  const auto start = planned(relations, begun(relations));
  EXPECT_THAT(commands(start), ElementsAre(R"(COPY "public"."t" ("id", "v") TO STDOUT)"));
  EXPECT_EQ(start.tasks[0].pages, 16U);
  ASSERT_TRUE(start.tasks[0].chunk.has_value());
  EXPECT_EQ(start.tasks[0].chunk->table_oid, 1U);
  EXPECT_EQ(start.tasks[0].chunk->filenode, 1U);
  EXPECT_EQ(start.tasks[0].chunk->number, 0U);
}

TEST(SnapshotPlan, ReadsALargeTableByPagesAndLeavesTheEndOpen) {
  const Relations relations{published("t", 1, 40)};
  const auto start = planned(relations, begun(relations));
  EXPECT_THAT(commands(start),
              ElementsAre(rows_of_t("(" + pages_between(0, 16) + ")"), rows_of_t("(" + pages_between(16, 32) + ")"),
                          rows_of_t("(" + pages_from(32) + ")")));
  EXPECT_THAT(chunks_read(start), ElementsAre(0, 1, 2));
  EXPECT_EQ(start.tasks[0].pages, 16U);
  EXPECT_EQ(start.tasks[2].pages, 8U);
  EXPECT_EQ(start.bytes, 40 * kPage);
}

TEST(SnapshotPlan, ReachesTheLastPageOfTheLargestTable) {
  const Relations relations{published("t", 1, std::numeric_limits<std::uint32_t>::max())};
  auto start = begun({});
  start.progress.tables = cut_tables(relations, {std::uint64_t{1} << 40, true});
  start = planned(relations, std::move(start));
  ASSERT_THAT(start.tasks, SizeIs(32));
  EXPECT_EQ(start.tasks[30].copy, rows_of_t("(" + pages_between(4026531840, 4160749568) + ")"));
  EXPECT_EQ(start.tasks[31].copy, rows_of_t("(" + pages_from(4160749568) + ")"));
}

TEST(SnapshotPlan, ReadsWhatATableGrewByWithItsLastChunk) {
  const Relations before{published("t", 1, 40)};
  const Relations now{published("t", 1, 100)};
  const auto start = planned(now, begun(before, 2));
  EXPECT_THAT(chunks_read(start), ElementsAre(0, 1, 2));
  EXPECT_EQ(start.tasks[2].copy, rows_of_t("(" + pages_from(32) + ")"));
  EXPECT_EQ(start.tasks[2].pages, 68U);
}

TEST(SnapshotPlan, ReadsEveryChunkOfATableThatShrank) {
  const Relations before{published("t", 1, 40)};
  const Relations now{published("t", 1, 3)};
  const auto start = planned(now, begun(before, 2));
  EXPECT_THAT(chunks_read(start), ElementsAre(0, 1, 2)) << "each is to be done, though there is nothing in it";
  EXPECT_EQ(start.tasks[2].pages, 0U);
}

TEST(SnapshotPlan, QuotesNames) {
  PublishedRelation ugly = published("t", 1, 20);
  ugly.relation.columns[0].name = "a\"b";
  ugly.relation.columns[1].name = "select, \xC3\xBC'\\";
  ugly.tables[0].name = {"we\"ird", "T \"x\"; DROP TABLE t --"};
  const std::string columns = "\"a\"\"b\", \"select, \xC3\xBC'\\\"";
  const std::string table = R"("we""ird"."T ""x""; DROP TABLE t --")";
  EXPECT_THAT(
      commands(planned({ugly}, begun({ugly}))),
      ElementsAre(
          "COPY (SELECT " + columns + " FROM ONLY " + table + " WHERE (" + pages_between(0, 16) + ")) TO STDOUT",
          "COPY (SELECT " + columns + " FROM ONLY " + table + " WHERE (" + pages_from(16) + ")) TO STDOUT"));
  ugly.tables[0].pages = 1;
  EXPECT_THAT(commands(planned({ugly}, begun({ugly}))), ElementsAre("COPY " + table + " (" + columns + ") TO STDOUT"));
}

TEST(SnapshotPlan, PutsARowFilterIntoParentheses) {
  PublishedRelation filtered = published("t", 1, 1);
  filtered.row_filter = "id > 5 OR v IS NULL";
  EXPECT_THAT(commands(planned({filtered}, begun({filtered}))), ElementsAre(rows_of_t("(id > 5 OR v IS NULL)")));
  filtered.tables[0].pages = 20;
  EXPECT_THAT(commands(planned({filtered}, begun({filtered}))),
              ElementsAre(rows_of_t("(" + pages_between(0, 16) + ") AND (id > 5 OR v IS NULL)"),
                          rows_of_t("(" + pages_from(16) + ") AND (id > 5 OR v IS NULL)")));
  filtered.has_key = false;
  EXPECT_THAT(commands(planned({filtered}, begun({filtered}, 2))),
              ElementsAre(rows_of_t("(" + pages_between(0, 16) + ") AND " + kSeen + " AND (id > 5 OR v IS NULL)"),
                          rows_of_t("(" + pages_from(16) + ") AND " + kSeen + " AND (id > 5 OR v IS NULL)")));
}

// COPY of a column list must name one; a query needs none.
TEST(SnapshotPlan, ReadsATableWithoutColumns) {
  PublishedRelation none = published("none", 1, 1);
  none.relation.columns.clear();
  const auto whole = commands(planned({none}, begun({none})));
  ASSERT_THAT(whole, SizeIs(1));
  EXPECT_THAT(whole[0], testing::MatchesRegex(R"re(COPY \(SELECT +FROM ONLY "public"\."none"\) TO STDOUT)re"));
  none.tables[0].pages = 20;
  const auto chunks = commands(planned({none}, begun({none})));
  ASSERT_THAT(chunks, SizeIs(2));
  EXPECT_THAT(chunks[1], testing::MatchesRegex(R"re(COPY \(SELECT +FROM ONLY "public"\."none" WHERE \(ctid.*)re"));
}

TEST(SnapshotPlan, ReadsTheLeavesOfAPartitionedTableAsRowsOfTheirRoot) {
  PublishedRelation root = published("root", 10, 0);
  root.tables = {physical("leaf1", 11, 1), physical("leaf2", 12, 20)};
  const Relations relations{published("t", 1, 1), root, published("u", 2, 1)};
  const auto start = planned(relations, begun(relations));
  EXPECT_THAT(
      commands(start),
      ElementsAre(R"(COPY "public"."t" ("id", "v") TO STDOUT)", R"(COPY "public"."leaf1" ("id", "v") TO STDOUT)",
                  HasSubstr(R"(FROM ONLY "public"."leaf2" WHERE)"), HasSubstr(R"(FROM ONLY "public"."leaf2" WHERE)"),
                  R"(COPY "public"."u" ("id", "v") TO STDOUT)"));
  ASSERT_THAT(start.sources, SizeIs(3));
  std::vector<std::string> tables;
  for (const SnapshotTask& task : start.tasks) tables.push_back(start.sources.at(task.source)->relation.name);
  EXPECT_THAT(tables, ElementsAre("t", "root", "root", "root", "u"));
  EXPECT_EQ(start.tasks[1].chunk->table_oid, 11U);
  EXPECT_EQ(start.tasks[3].chunk->table_oid, 12U);
}

// Later sessions.

TEST(SnapshotPlan, ReadsWhatIsLeftAndNoMore) {
  const Relations relations{published("t", 1, 80), published("u", 2, 40), published("w", 3, 1)};
  auto start = begun(relations, 2);
  start.progress.tables[0].done = {true, false, true, true, false};
  start.progress.tables[1].done = {true, true, true};
  start = planned(relations, std::move(start));
  EXPECT_THAT(commands(start),
              ElementsAre(rows_of_t("(" + pages_between(16, 32) + ")"), rows_of_t("(" + pages_from(64) + ")"),
                          R"(COPY "public"."w" ("id", "v") TO STDOUT)"));
  ASSERT_THAT(start.sources, SizeIs(2)) << "nothing is left of u";
  EXPECT_EQ(start.sources[0]->relation.name, "t");
  EXPECT_EQ(start.sources[1]->relation.name, "w");
  EXPECT_EQ(start.tasks[2].source, 1U);
  EXPECT_EQ(start.bytes, (16 + 16 + 1) * kPage);
}

TEST(SnapshotPlan, ReadsNothingOfATableThatTheProgressDoesNotKnow) {
  const auto start = planned({published("new", 9, 40), published("t", 1, 1)}, begun({published("t", 1, 1)}, 2));
  EXPECT_THAT(commands(start), ElementsAre(R"(COPY "public"."t" ("id", "v") TO STDOUT)"));
  ASSERT_THAT(start.sources, SizeIs(1));
  EXPECT_EQ(start.sources[0]->relation.name, "t");
}

TEST(SnapshotPlan, HasNothingToReadWhereAllIsDone) {
  const Relations relations{published("t", 1, 40)};
  auto start = begun(relations, 2);
  start.progress.tables[0].done = {true, true, true};
  start = planned(relations, std::move(start));
  EXPECT_THAT(start.tasks, IsEmpty());
  EXPECT_THAT(start.sources, IsEmpty());
  EXPECT_EQ(start.bytes, 0U);
  EXPECT_THAT(planned({}, begun({})).tasks, IsEmpty());
}

TEST(SnapshotPlan, ReadsEveryRowInTheFirstSession) {
  PublishedRelation keyless = published("t", 1, 20);
  keyless.has_key = false;
  for (const std::string& command : commands(planned({keyless}, begun({keyless}, 1)))) {
    EXPECT_THAT(command, Not(HasSubstr("xmin")));
  }
}

// Their rows cannot be told apart: one that the stream brings must not be read.
TEST(SnapshotPlan, ReadsOnlyWhatThePointSawOfATableWithoutAKeyLater) {
  PublishedRelation keyless = published("t", 1, 20);
  keyless.has_key = false;
  EXPECT_THAT(commands(planned({keyless}, begun({keyless}, 2))),
              ElementsAre(rows_of_t("(" + pages_between(0, 16) + ") AND " + kSeen),
                          rows_of_t("(" + pages_from(16) + ") AND " + kSeen)));
  keyless.tables[0].pages = 1;
  EXPECT_THAT(commands(planned({keyless}, begun({keyless}, 7))), ElementsAre(rows_of_t(kSeen)));
}

TEST(SnapshotPlan, KnowsAPointAtWhichNothingWasInProgress) {
  PublishedRelation keyless = published("t", 1, 1);
  keyless.has_key = false;
  auto start = begun({keyless}, 2);
  start.progress.visible = "800:800:";
  EXPECT_THAT(commands(planned({keyless}, std::move(start))),
              ElementsAre(rows_of_t("(NOT (" + younger_than(800) + "))")));
}

TEST(SnapshotPlan, NamesEveryTransactionThatWasInProgress) {
  PublishedRelation keyless = published("t", 1, 1);
  keyless.has_key = false;
  auto start = begun({keyless}, 2);
  start.progress.visible = "10:5000:10";
  std::string seen = "(NOT (" + younger_than(5000) + or_written_by(10);
  for (int xid = 1001; xid < 1500; ++xid) {
    start.progress.visible += fmt::format(",{}", xid);
    seen += or_written_by(static_cast<std::uint64_t>(xid));
  }
  EXPECT_THAT(commands(planned({keyless}, std::move(start))), ElementsAre(rows_of_t(seen + "))")));
}

// Once the counter has come round, the xmin of an old row says nothing any more: rather a row twice than one too few.
TEST(SnapshotPlan, ReadsEveryRowWhereTransactionIdsHaveComeRound) {
  PublishedRelation keyless = published("t", 1, 1);
  keyless.has_key = false;
  const auto command_at = [&](const char* visible) {
    auto start = begun({keyless}, 2);
    start.progress.visible = visible;
    return planned({keyless}, std::move(start)).tasks.at(0).copy;
  };
  EXPECT_EQ(command_at("4294967290:4294967295:4294967290"),
            rows_of_t("(NOT (" + younger_than(4294967295) + or_written_by(4294967290) + "))"));
  EXPECT_THAT(command_at("4294967290:4294967300:4294967291"), Not(HasSubstr("xmin")));
  EXPECT_THAT(command_at("4294967296:4294967296:"), Not(HasSubstr("xmin")));
  EXPECT_THAT(command_at("12884902638:12884902643:12884902639"), Not(HasSubstr("xmin")));
}

TEST(SnapshotPlan, ReadsEveryRowOfATableWithAKeyLater) {
  const Relations relations{published("t", 1, 20)};
  for (const std::string& command : commands(planned(relations, begun(relations, 2)))) {
    EXPECT_THAT(command, Not(HasSubstr("xmin")));
  }
}

// A rewrite gives rows another xmin, and the stream does not bring them.
TEST(SnapshotPlan, ReadsEveryRowOfARewrittenTable) {
  PublishedRelation keyless = published("t", 1, 20);
  keyless.has_key = false;
  keyless.tables[0].has_toast = true;
  auto start = begun({keyless}, 2);
  start.progress.tables[0].is_rewritten = true;
  EXPECT_THAT(commands(planned({keyless}, std::move(start))),
              ElementsAre(rows_of_t("(" + pages_between(0, 16) + ")"), rows_of_t("(" + pages_from(16) + ")")));
}

// A row may move from a chunk that is left into one that is done, while the stream leaves its large values out.
TEST(SnapshotPlan, LooksForMovedRowsInTheChunksThatAreDone) {
  PublishedRelation large = published("t", 1, 112);
  large.tables[0].has_toast = true;
  auto start = begun({large}, 2);
  start.progress.tables[0].done = {true, true, false, true, false, false, true};
  start.progress.tables[0].is_mixed = true;
  start = planned({large}, std::move(start));
  EXPECT_THAT(chunks_read(start), ElementsAre(2, 4, 5, -1));
  EXPECT_EQ(start.tasks[3].copy, rows_of_t("((" + pages_between(0, 32) + ") OR (" + pages_between(48, 64) + ") OR (" +
                                           pages_from(96) + ")) AND " + kWrittenSince));
  EXPECT_EQ(start.tasks[3].source, start.tasks[0].source);
}

TEST(SnapshotPlan, LooksForMovedRowsUnderTheRowFilterToo) {
  PublishedRelation large = published("t", 1, 20);
  large.tables[0].has_toast = true;
  large.row_filter = "id > 5 OR id < 2";
  auto start = begun({large}, 2);
  start.progress.tables[0].done = {true, false};
  start.progress.tables[0].is_mixed = true;
  start = planned({large}, std::move(start));
  ASSERT_THAT(start.tasks, SizeIs(2));
  EXPECT_EQ(start.tasks[1].copy,
            rows_of_t("((" + pages_between(0, 16) + ")) AND " + kWrittenSince + " AND (id > 5 OR id < 2)"));
}

// Whether a session before came to look is not known.
TEST(SnapshotPlan, LooksForMovedRowsAgainWhereAllChunksAreDone) {
  PublishedRelation large = published("t", 1, 20);
  large.tables[0].has_toast = true;
  auto start = begun({large}, 3);
  start.progress.tables[0].done = {true, true};
  start.progress.tables[0].is_mixed = true;
  start = planned({large}, std::move(start));
  EXPECT_THAT(chunks_read(start), ElementsAre(-1));
  EXPECT_EQ(start.tasks[0].copy, rows_of_t("((" + pages_from(0) + ")) AND " + kWrittenSince));
  EXPECT_THAT(start.sources, SizeIs(1));
}

TEST(SnapshotPlan, LooksForMovedRowsOnlyWhereTheStreamMayLeaveValuesOut) {
  const auto chunks_of_mixed = [](auto change, bool is_mixed = true) {
    PublishedRelation table = published("t", 1, 20);
    table.tables[0].has_toast = true;
    change(table);
    auto start = begun({table}, 2);
    start.progress.tables[0].done = {true, false};
    start.progress.tables[0].is_mixed = is_mixed;
    return chunks_read(planned({table}, std::move(start)));
  };
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation&) {}), ElementsAre(1, -1));
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation& t) { t.relation.identity = ReplicaIdentity::kIndex; }),
              ElementsAre(1, -1));
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation& t) { t.relation.identity = ReplicaIdentity::kFull; }),
              ElementsAre(1))
      << "the old row has them";
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation& t) { t.tables[0].has_toast = false; }), ElementsAre(1))
      << "there are none";
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation& t) { t.has_key = false; }), ElementsAre(1))
      << "each row is read once";
  EXPECT_THAT(chunks_of_mixed([](PublishedRelation&) {}, false), ElementsAre(1)) << "read at one point in time";
}

// What is common to a table's rows.

TEST(SnapshotPlan, GivesEachSessionIndicesOfItsOwn) {
  const Relations relations{published("t", 1, 1), published("u", 2, 1)};
  for (const std::uint32_t session : {1U, 2U, 3U, 4000U}) {
    const auto start = planned(relations, begun(relations, session));
    ASSERT_THAT(start.sources, SizeIs(2));
    for (const auto& source : start.sources) {
      EXPECT_EQ(source->first_index, (session - 1) * (std::uint64_t{1} << 40));
      EXPECT_LT(source->first_index, kIndexAboveSnapshot);
      EXPECT_EQ(source->point, Lsn{1000});
      EXPECT_EQ(source->began, 77);
    }
  }
}

TEST(SnapshotPlan, GivesEachTableItsOwnNote) {
  const Relations relations{published("done", 1, 1), published("t", 2, 1), published("u", 3, 1)};
  std::vector<std::shared_ptr<const RelationNote>> notes;
  for (const std::uint32_t oid : {1U, 2U, 3U}) {
    auto note = std::make_shared<RelationNote>();
    note->relation_oid = oid;
    notes.push_back(std::move(note));
  }
  auto start = begun(relations, 2);
  start.progress.tables[0].done = {true};
  plan_reads(relations, notes, start);
  ASSERT_THAT(start.sources, SizeIs(2));
  EXPECT_EQ(start.sources[0]->note, notes[1]);
  EXPECT_EQ(start.sources[1]->note, notes[2]);
}

TEST(SnapshotPlan, HasNoNotesWhereNobodyAsked) {
  const Relations relations{published("t", 1, 1)};
  EXPECT_EQ(planned(relations, begun(relations)).sources.at(0)->note, nullptr);
}

TEST(SnapshotPlan, EstimatesRowsWhereThePlannerDoes) {
  Relations relations{published("t", 1, 1), published("u", 2, 1), published("w", 3, 1)};
  relations[0].tables[0].rows = 1000;
  relations[1].tables[0].rows = -1;
  relations[2].tables[0].rows = 7;
  EXPECT_EQ(planned(relations, begun(relations)).rows, 1007);
}

}  // namespace
}  // namespace walcat::test
