// The lines of a snapshot's rows, and of what the stream brings at the snapshot's point.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "serializer/lines.h"

namespace walcat::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Mark = SnapshotMark;

struct Marks {
  Mark first = Mark::kInside;
  Mark last = Mark::kInside;
};

Strings printed_rows(const std::shared_ptr<const SnapshotSource>& source, const Strings& rows,
                     const SerializerOptions& options = {}, const Marks& marks = {},
                     const DecoderOptions& decoder_options = {}) {
  Feed feed({}, 1 << 20, decoder_options);
  const auto batch = feed.pack_rows(source, rows);
  batch->first_mark = marks.first;
  batch->last_mark = marks.last;
  feed.decode(*batch);
  if (!feed.status().is_ok()) return {feed.status().message()};
  Serializer(options).serialize(*batch);
  return lines(*batch);
}

SerializerOptions envelope(Envelope envelope) {
  SerializerOptions options;
  options.envelope = envelope;
  return options;
}

// A transaction that commits at the snapshot's point, and one after it.
Strings printed_at_the_point(const SerializerOptions& options) {
  Feed feed({}, 1 << 20);
  const auto batch = feed.pack({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                                at(920, insert(kPlain, {"2", "b"})), at(1010, commit(1000, 1010)), at(0, begin(2000)),
                                at(1910, insert(kPlain, {"3", "c"})), at(2010, commit(2000, 2010))});
  batch->snapshot_point = Lsn{1000};
  feed.decode(*batch);
  Serializer(options).serialize(*batch);
  return lines(*batch);
}

// The source block of the message envelope.
std::string plain_source(const char* snapshot, std::uint64_t index) {
  return R"({"version":")" WALCAT_VERSION R"(","connector":"walcat","name":"walcat_public","ts_ms":946684801000,)"
         R"("snapshot":")" +
         std::string(snapshot) +
         R"(","db":"db1","schema":"public","table":"t","txId":null,"lsn":1000,"xmin":null,)"
         R"("commit_lsn":1000,"index":)" +
         std::to_string(index) + "}";
}

TEST(SnapshotLines, PrintsRowsOfTheMessageEnvelopeExactly) {
  const std::string head = R"({"message":{"before":null,"after":)";
  EXPECT_EQ(printed_rows(source_of(plain_table()), {"1\tone", "2\t\\N", "3\ta\\tb\\\\N", "4\t"}, {},
                         {Mark::kFirst, Mark::kLast}),
            (Strings{head + R"({"id":1,"v":"one"},"source":)" + plain_source("first", 0) + ",\"op\":\"r\"}}\n",
                     head + R"({"id":2,"v":null},"source":)" + plain_source("true", 1) + ",\"op\":\"r\"}}\n",
                     head + R"({"id":3,"v":"a\tb\\N"},"source":)" + plain_source("true", 2) + ",\"op\":\"r\"}}\n",
                     head + R"({"id":4,"v":""},"source":)" + plain_source("last", 3) + ",\"op\":\"r\"}}\n"}));
}

TEST(SnapshotLines, PrintsRowsOfTheDebeziumEnvelopeAsDebeziumDoes) {
  const auto all = printed_rows(source_of(plain_table()), {"1\tone"}, envelope(Envelope::kDebezium));
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0], StartsWith(R"({"before":null,"after":{"id":1,"v":"one"},"source":{"version":")" WALCAT_VERSION
                                 R"(","connector":"postgresql","name":"walcat","ts_ms":946684801000,"snapshot":"true",)"
                                 R"("db":"db1","sequence":"[null,\"1000\"]","ts_us":946684801000999,)"
                                 R"("ts_ns":946684801000999000,"schema":"public","table":"t","txId":null,"lsn":1000,)"
                                 R"("xmin":null,"origin":null,"origin_lsn":null,"commit_lsn":1000,"index":0},)"
                                 R"("transaction":null,"op":"r","ts_ms":)"));
}

TEST(SnapshotLines, PrintsRowsOfTheRowEnvelopeExactly) {
  EXPECT_EQ(printed_rows(source_of(plain_table(), 1000, kSnapshotSessionRows), {"1\tone"}, envelope(Envelope::kRow),
                         {Mark::kFirst, Mark::kInside}),
            Strings{R"({"id":1,"v":"one","__op":"r","__db":"db1","__schema":"public","__table":"t",)"
                    R"("__ts_ms":946684801000,"__lsn":1000,"__commit_lsn":1000,"__index":1099511627776})"
                    "\n"});
}

// What source.snapshot says of a row that is marked so.
std::string printed_mark(Envelope of, Mark mark) {
  const auto all = printed_rows(source_of(plain_table()), {"1\ta"}, envelope(of), {Mark::kInside, mark});
  const std::string begin = R"("ts_ms":946684801000,"snapshot":)";
  const auto at = all.at(0).find(begin);
  if (at == std::string::npos) return "no snapshot in " + all.at(0);
  const auto from = at + begin.size();
  return all[0].substr(from, all[0].find(',', from) - from);
}

TEST(SnapshotLines, MarksWhereTheSnapshotBeginsAndEndsInTheMessageEnvelope) {
  EXPECT_EQ(printed_mark(Envelope::kMessage, Mark::kFirst), R"("first")");
  EXPECT_EQ(printed_mark(Envelope::kMessage, Mark::kFirstOfTable), R"("true")");
  EXPECT_EQ(printed_mark(Envelope::kMessage, Mark::kInside), R"("true")");
  EXPECT_EQ(printed_mark(Envelope::kMessage, Mark::kLastOfTable), R"("true")");
  EXPECT_EQ(printed_mark(Envelope::kMessage, Mark::kLast), R"("last")");
}

TEST(SnapshotLines, MarksWhereEachTableBeginsAndEndsInTheDebeziumEnvelopes) {
  for (const Envelope of : {Envelope::kDebezium, Envelope::kDebeziumSchema}) {
    EXPECT_EQ(printed_mark(of, Mark::kFirst), R"("first")");
    EXPECT_EQ(printed_mark(of, Mark::kFirstOfTable), R"("first_in_data_collection")");
    EXPECT_EQ(printed_mark(of, Mark::kInside), R"("true")");
    EXPECT_EQ(printed_mark(of, Mark::kLastOfTable), R"("last_in_data_collection")");
    EXPECT_EQ(printed_mark(of, Mark::kLast), R"("last")");
  }
}

// Most of the source block is rendered once for a run of rows; the marks are not.
TEST(SnapshotLines, MarksNoRowWithItsNeighboursMark) {
  for (const Envelope of : {Envelope::kMessage, Envelope::kDebezium}) {
    const auto all =
        printed_rows(source_of(plain_table()), {"1\ta", "2\tb", "3\tc"}, envelope(of), {Mark::kFirst, Mark::kLast});
    ASSERT_EQ(all.size(), 3U);
    EXPECT_THAT(all[0], HasSubstr(R"("snapshot":"first")"));
    EXPECT_THAT(all[1], HasSubstr(R"("snapshot":"true")"));
    EXPECT_THAT(all[2], HasSubstr(R"("snapshot":"last")"));
  }
}

TEST(SnapshotLines, KeepMarksOfOneBatchOutOfTheNext) {
  Feed feed;
  Serializer serializer({});
  const auto rows = feed.pack_rows(source_of(plain_table(), 5000), {"1\ta"});
  rows->last_mark = Mark::kLast;
  feed.decode(*rows);
  serializer.serialize(*rows);
  const auto stream =
      feed.decode({at(0, begin(6000, 701)), at(0, relation(plain_table())), at(5910, insert(kPlain, {"2", "b"}))});
  serializer.serialize(*stream);
  const auto more = feed.decode_rows(source_of(plain_table(), 5000, kSnapshotSessionRows), {"3\tc"});
  serializer.serialize(*more);
  EXPECT_THAT(lines(*rows).at(0), AllOf(HasSubstr(R"("snapshot":"last")"), EndsWith(",\"op\":\"r\"}}\n")));
  EXPECT_THAT(lines(*stream).at(0), AllOf(HasSubstr(R"("snapshot":"false")"), HasSubstr(R"("txId":701,"lsn":5910,)"),
                                          HasSubstr(R"("commit_lsn":6000,"index":0})"), EndsWith(",\"op\":\"c\"}}\n")));
  EXPECT_THAT(lines(*more).at(0), AllOf(HasSubstr(R"("snapshot":"true")"), HasSubstr(R"("txId":null,"lsn":5000,)"),
                                        HasSubstr(R"("index":1099511627776})")));
}

TEST(SnapshotLines, PrintsTheStreamsChangesAsNoSnapshots) {
  for (const Envelope of : {Envelope::kMessage, Envelope::kDebezium, Envelope::kDebeziumSchema}) {
    for (const std::string& line : printed_at_the_point(envelope(of))) {
      EXPECT_THAT(line, HasSubstr(R"("snapshot":"false")"));
    }
  }
}

TEST(SnapshotLines, PrintsIndicesAboveTheRowsWhereATransactionIsAtThePoint) {
  const std::pair<Envelope, std::string> kNames[] = {{Envelope::kMessage, R"("commit_lsn":{},"index":{}}})"},
                                                     {Envelope::kDebezium, R"("commit_lsn":{},"index":{}}})"},
                                                     {Envelope::kDebeziumSchema, R"("commit_lsn":{},"index":{}}})"},
                                                     {Envelope::kRow, R"("__commit_lsn":{},"__index":{}}})"}};
  for (const auto& [of, position] : kNames) {
    const auto all = printed_at_the_point(envelope(of));
    ASSERT_EQ(all.size(), 3U);
    EXPECT_THAT(all[0], HasSubstr(fmt::format(fmt::runtime(position), 1000, 4'503'599'627'370'496)));
    EXPECT_THAT(all[1], HasSubstr(fmt::format(fmt::runtime(position), 1000, 4'503'599'627'370'497)));
    EXPECT_THAT(all[2], HasSubstr(fmt::format(fmt::runtime(position), 2000, 0)));
  }
}

TEST(SnapshotLines, LeavesOutThePositionWhenAsked) {
  for (const Envelope of : {Envelope::kMessage, Envelope::kDebezium, Envelope::kRow}) {
    SerializerOptions options = envelope(of);
    options.position = false;
    for (const std::string& line : printed_rows(source_of(plain_table()), {"1\ta", "2\tb"}, options)) {
      EXPECT_THAT(line, AllOf(Not(HasSubstr("commit_lsn")), Not(HasSubstr("index"))));
    }
  }
}

TEST(SnapshotLines, AreLeftOutWhereReadsAreSkipped) {
  SerializerOptions options;
  options.skip = {Operation::kRead};
  EXPECT_EQ(printed_rows(source_of(plain_table()), {"1\ta", "2\tb"}, options), (Strings{"", ""}));
  EXPECT_THAT(printed_at_the_point(options), testing::Each(HasSubstr(R"("op":"c")")));
}

TEST(SnapshotLines, AreKeptWhereInsertsAreSkipped) {
  SerializerOptions options;
  options.skip = {Operation::kInsert, Operation::kUpdate, Operation::kDelete, Operation::kTruncate,
                  Operation::kMessage};
  EXPECT_THAT(printed_rows(source_of(plain_table()), {"1\ta", "2\tb"}, options),
              testing::ElementsAre(HasSubstr(R"("op":"r")"), HasSubstr(R"("op":"r")")));
}

TEST(SnapshotLines, BelongToNoTransaction) {
  for (const Envelope of : {Envelope::kMessage, Envelope::kDebezium, Envelope::kRow}) {
    SerializerOptions options = envelope(of);
    options.transactions = true;
    DecoderOptions decoder_options;
    decoder_options.transactions = true;
    const auto all = printed_rows(source_of(plain_table()), {"1\ta", "2\tb"}, options, {}, decoder_options);
    ASSERT_EQ(all.size(), 2U) << "no borders";
    for (const std::string& line : all) {
      EXPECT_THAT(line, AllOf(Not(HasSubstr("BEGIN")), Not(HasSubstr("__transaction")), Not(HasSubstr("total_order"))));
    }
    if (of == Envelope::kDebezium) {
      EXPECT_THAT(all[0], HasSubstr(R"("transaction":null)"));
    }
  }
}

TEST(SnapshotLines, CarryTopicAndKeyOfTheirRow) {
  SerializerOptions options = envelope(Envelope::kRow);
  options.framing = Framing::kTopicKeyValue;
  options.topic = "{schema}.{table}.{op}";
  options.tombstones = true;
  const auto source = source_of(plain_table());
  const auto note = std::make_shared<RelationNote>();
  note->key = {"id"};
  source->note = note;
  options.key = KeyForm::kJson;
  auto all = printed_rows(source, {"1\ta"}, options);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_THAT(all[0], AllOf(StartsWith("public.t.r\t{\"id\":1}\t{\"id\":1,"), EndsWith("}\n")));
  options.key = KeyForm::kText;
  all = printed_rows(source, {"17\ta"}, options);
  EXPECT_THAT(all.at(0), StartsWith("public.t.r\t17\t{"));
}

TEST(SnapshotLines, FollowTheRulesOfColumns) {
  DecoderOptions selecting;
  selecting.selection =
      *Selection::compile({.exclude_columns = {"public\\.t\\.id"}, .truncate_columns = {{"public\\.t\\.v", 3}}});
  const auto all = printed_rows(source_of(plain_table()), {"1\ta\\tb\\\\c"}, {}, {}, selecting);
  EXPECT_EQ(after(all.at(0)), R"({"v":"a\tb"})");
}

TEST(SnapshotLines, PrintsARowOfATableWithoutColumnsAsAnEmptyObject) {
  const TableSpec none{16390, "public", "none", 'd', {}};
  const auto all = printed_rows(source_of(none), {"", ""});
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(after(all[0]), "{}");
  EXPECT_EQ(before(all[1]), "null");
}

TEST(SnapshotLines, PrintsValuesAsTheStreamDoes) {
  const TableSpec table{16384,
                        "public",
                        "t",
                        'd',
                        {{"i", kInt4, true}, {"b", kBool}, {"f", kFloat8}, {"n", kNumeric}, {"v"}, {"a", 1007}}};
  const Strings cells{"-1", "t", "NaN", "1.50", "x\ty\\z\n", "{1,NULL}"};
  for (const Values values : {Values::kNative, Values::kText, Values::kDebezium}) {
    SerializerOptions options;
    options.values = values;
    const auto row = printed_rows(source_of(table), {"-1\tt\tNaN\t1.50\tx\\ty\\\\z\\n\t{1,NULL}"}, options);
    const auto change =
        printed({at(0, begin(1000)), at(0, relation(table)), at(910, insert(16384, Tuple(cells.begin(), cells.end())))},
                options);
    EXPECT_EQ(after(row.at(0)), after(change.at(0)));
  }
}

}  // namespace
}  // namespace walcat::test
