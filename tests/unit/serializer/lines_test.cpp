// The lines, character by character.

#include "serializer/lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Strings in_transaction(const TableSpec& table, const Strings& messages) {
  Strings frames{at(0, begin(1000, 700, 1'000'999)), at(0, relation(table))};
  for (const std::string& message : messages) frames.push_back(at(910, message));
  return frames;
}

// The source block of a change of plain_table() in such a transaction.
std::string plain_source(int index) {
  return R"({"version":")" WALCAT_VERSION R"(","connector":"walcat","name":"walcat_public","ts_ms":946684801000,)"
         R"("snapshot":"false","db":"db1","schema":"public","table":"t","txId":700,"lsn":910,"xmin":null,)"
         R"("commit_lsn":1000,"index":)" +
         std::to_string(index) + "}";
}

TEST(Serializer, PrintsEveryOperationExactly) {
  EXPECT_EQ(
      printed(in_transaction(plain_table(), {insert(kPlain, {"1", "one"}), update(kPlain, {"1", "two"}),
                                             update(kPlain, 'K', {"1", kNullValue}, {"2", "two"}),
                                             remove(kPlain, 'K', {"2", kNullValue}), truncate({kPlain})})),
      (Strings{
          R"({"message":{"before":null,"after":{"id":1,"v":"one"},"source":)" + plain_source(0) + ",\"op\":\"c\"}}\n",
          R"({"message":{"before":null,"after":{"id":1,"v":"two"},"source":)" + plain_source(1) + ",\"op\":\"u\"}}\n",
          R"({"message":{"before":{"id":1},"after":{"id":2,"v":"two"},"source":)" + plain_source(2) +
              ",\"op\":\"u\"}}\n",
          R"({"message":{"before":{"id":2},"after":null,"source":)" + plain_source(3) + ",\"op\":\"d\"}}\n",
          R"({"message":{"before":null,"after":null,"source":)" + plain_source(4) + ",\"op\":\"t\"}}\n"}));
}

TEST(Serializer, PrintsATransactionalMessageExactly) {
  EXPECT_EQ(printed({at(0, begin(1000, 700, 0)), at(920, logical_message(true, 920, "pre\"fix", "Hello"))}),
            (Strings{R"({"message":{"before":null,"after":null,"source":{"version":")" WALCAT_VERSION
                     R"(","connector":"walcat","name":"walcat","ts_ms":946684800000,"snapshot":"false","db":"db1",)"
                     R"("schema":"","table":"","txId":700,"lsn":920,"xmin":null,"commit_lsn":1000,"index":0},)"
                     R"("op":"m","message":{"prefix":"pre\"fix","content":"SGVsbG8="}}})"
                     "\n"}));
}

TEST(Serializer, PrintsAMessageOutsideTransactionsExactly) {
  EXPECT_EQ(printed({at(920, logical_message(false, 920, "p", ""), 5'000)}),
            (Strings{R"({"message":{"before":null,"after":null,"source":{"version":")" WALCAT_VERSION
                     R"(","connector":"walcat","name":"walcat","ts_ms":946684800005,"snapshot":"false","db":"db1",)"
                     R"("schema":"","table":"","txId":null,"lsn":920,"xmin":null,"commit_lsn":919,"index":0},)"
                     R"("op":"m","message":{"prefix":"p","content":""}}})"
                     "\n"}));
}

TEST(Serializer, PrintsTheContentOfAMessageInBase64) {
  const auto base64 = [](std::string_view content) {
    const auto all = printed({at(920, logical_message(false, 920, "p", content))});
    return between(all.at(0), R"("content":)", "}}}");
  };
  EXPECT_EQ(base64(""), R"("")");
  EXPECT_EQ(base64("f"), R"("Zg==")");
  EXPECT_EQ(base64("fo"), R"("Zm8=")");
  EXPECT_EQ(base64("foo"), R"("Zm9v")");
  EXPECT_EQ(base64("foob"), R"("Zm9vYg==")");
  EXPECT_EQ(base64("fooba"), R"("Zm9vYmE=")");
  EXPECT_EQ(base64(std::string("\0\0\0", 3)), R"("AAAA")");
  EXPECT_EQ(base64("\xFB\xFF\xFE"), R"("+//+")");
}

// Under the sanitizers this also tells whether the conversions overflow; the server's clock is not ours to trust.
TEST(Serializer, PrintsALineForEveryCommitTime) {
  for (const Envelope envelope : {Envelope::kMessage, Envelope::kDebezium, Envelope::kRow}) {
    SerializerOptions options;
    options.envelope = envelope;
    for (const std::int64_t time : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-946684800000001},
                                    std::int64_t{0}, std::numeric_limits<std::int64_t>::max()}) {
      const auto all =
          printed({at(0, begin(1000, 700, time)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"}))},
                  options);
      ASSERT_EQ(all.size(), 1U);
      EXPECT_EQ(all[0].back(), '\n');
    }
  }
}

TEST(Serializer, LeavesOutThePositionWhenAsked) {
  SerializerOptions options;
  options.position = false;
  const auto all =
      printed(in_transaction(plain_table(), {insert(kPlain, {"1", "a"}), insert(kPlain, {"2", "b"})}), options);
  ASSERT_EQ(all.size(), 2U);
  for (const std::string& line : all) {
    EXPECT_THAT(line, HasSubstr(R"("lsn":910,"xmin":null},"op":"c"}})"));
    EXPECT_THAT(line, Not(HasSubstr("commit_lsn")));
    EXPECT_THAT(line, Not(HasSubstr("index")));
  }
}

TEST(Serializer, NamesTheConnectorAsConfigured) {
  SerializerOptions options;
  options.connector_name = "shop \"1\"";
  const auto all = printed(in_transaction(plain_table(), {insert(kPlain, {"1", "a"})}), options);
  EXPECT_THAT(all.at(0), HasSubstr(R"("connector":"shop \"1\"","name":"shop \"1\"_public")"));
}

TEST(Serializer, EscapesNamesOfSchemaTableAndColumns) {
  const TableSpec table{16384, "a\\b", "q\"t\n", 'd', {{"c\"1", kInt4, true}, {"ü.x"}}};
  const auto all = printed(in_transaction(table, {insert(kPlain, {"1", "a"})}));
  EXPECT_THAT(all.at(0), HasSubstr(R"("schema":"a\\b","table":"q\"t\n")"));
  EXPECT_THAT(all.at(0), HasSubstr(R"("name":"walcat_a\\b")"));
  EXPECT_EQ(after(all.at(0)), R"({"c\"1":1,"ü.x":"a"})");
}

TEST(Serializer, PrintsKeyColumnsOnlyUnderAKeyIdentity) {
  const TableSpec table{16384, "public", "t", 'i', {{"a"}, {"k1", kInt4, true}, {"b"}, {"k2", kText, true}}};
  const auto all =
      printed(in_transaction(table, {update(kPlain, 'K', {kNullValue, "1", kNullValue, "x"}, {"a", "2", "b", "x"}),
                                     remove(kPlain, 'K', {kNullValue, "2", kNullValue, "x"})}));
  EXPECT_EQ(before(all.at(0)), R"({"k1":1,"k2":"x"})");
  EXPECT_EQ(before(all.at(1)), R"({"k1":2,"k2":"x"})");
}

TEST(Serializer, PrintsAllOldColumnsUnderFullIdentity) {
  const TableSpec table{16384, "public", "t", 'f', {{"a", kText, true}, {"b", kText, true}}};
  const auto all = printed(in_transaction(
      table, {update(kPlain, 'O', {"x", kNullValue}, {"y", "z"}), remove(kPlain, 'O', {kNullValue, "z"})}));
  EXPECT_EQ(before(all.at(0)), R"({"a":"x","b":null})");
  EXPECT_EQ(before(all.at(1)), R"({"a":null,"b":"z"})");
}

TEST(Serializer, PrintsATableWithoutColumnsAsAnEmptyObject) {
  const TableSpec none{16390, "public", "none", 'f', {}};
  const auto alone =
      printed(in_transaction(none, {insert(16390, {}), update(16390, 'O', {}, {}), remove(16390, 'O', {})}));
  EXPECT_EQ(after(alone.at(0)), "{}");
  EXPECT_EQ(before(alone.at(1)), "{}");
  EXPECT_EQ(after(alone.at(1)), "{}");
  EXPECT_EQ(before(alone.at(2)), "{}");
  const auto among_others =
      printed({at(0, begin(1000)), at(0, relation(plain_table())), at(0, relation(none)),
               at(910, insert(kPlain, {"1", "a"})), at(920, insert(16390, {})), at(930, remove(16390, 'O', {}))});
  EXPECT_EQ(after(among_others.at(1)), "{}");
  EXPECT_EQ(before(among_others.at(2)), "{}");
}

TEST(Serializer, TakesAnUnchangedToastValueFromTheOldRowUnderFullIdentity) {
  const TableSpec table{16384, "public", "t", 'f', {{"id", kInt4, true}, {"v", kText, true}}};
  const auto all = printed(in_transaction(table, {update(kPlain, 'O', {"1", "long"}, {"2", kUnchangedValue})}));
  EXPECT_EQ(before(all.at(0)), R"({"id":1,"v":"long"})");
  EXPECT_EQ(after(all.at(0)), R"({"id":2,"v":"long"})");
}

TEST(Serializer, TakesAnUnchangedToastValueFromTheKey) {
  const TableSpec table{16384, "public", "t", 'd', {{"v"}, {"k", kText, true}}};
  const auto all =
      printed(in_transaction(table, {update(kPlain, 'K', {kNullValue, "long key"}, {"x", kUnchangedValue})}));
  EXPECT_EQ(after(all.at(0)), R"({"v":"x","k":"long key"})");
}

TEST(Serializer, MarksAnUnchangedToastValueThatNobodySent) {
  const auto all =
      printed(in_transaction(plain_table(), {update(kPlain, {"1", kUnchangedValue}),
                                             update(kPlain, 'K', {"1", kNullValue}, {"2", kUnchangedValue})}));
  EXPECT_EQ(after(all.at(0)), R"({"id":1,"v":"__debezium_unavailable_value"})");
  EXPECT_EQ(after(all.at(1)), R"({"id":2,"v":"__debezium_unavailable_value"})");
}

TEST(Serializer, FollowsRelationsAndTransactionsThatAlternate) {
  TableSpec other{16400, "s2", "u", 'd', {{"x", kInt4, true}}};
  const auto all =
      printed({at(0, begin(1000, 700)), at(0, relation(plain_table())), at(0, relation(other)),
               at(910, insert(kPlain, {"1", "a"})), at(911, insert(16400, {"5"})), at(912, insert(kPlain, {"2", "b"})),
               at(1010, commit(1000, 1010)), at(0, begin(2000, 701)), at(1910, insert(kPlain, {"3", "c"})),
               at(1911, logical_message(true, 1911, "p", "")), at(1912, insert(kPlain, {"4", "d"}))});
  ASSERT_EQ(all.size(), 6U);
  EXPECT_THAT(all[0], HasSubstr(R"("table":"t","txId":700,"lsn":910,"xmin":null,"commit_lsn":1000,"index":0})"));
  EXPECT_THAT(all[1], HasSubstr(R"("name":"walcat_s2")"));
  EXPECT_THAT(all[1], HasSubstr(R"("table":"u","txId":700,"lsn":911,"xmin":null,"commit_lsn":1000,"index":1})"));
  EXPECT_THAT(all[2], HasSubstr(R"("table":"t","txId":700,"lsn":912,"xmin":null,"commit_lsn":1000,"index":2})"));
  EXPECT_THAT(all[3], HasSubstr(R"("table":"t","txId":701,"lsn":1910,"xmin":null,"commit_lsn":2000,"index":0})"));
  EXPECT_THAT(all[4], HasSubstr(R"("table":"","txId":701,"lsn":1911,"xmin":null,"commit_lsn":2000,"index":1})"));
  EXPECT_THAT(all[5], HasSubstr(R"("table":"t","txId":701,"lsn":1912,"xmin":null,"commit_lsn":2000,"index":2})"));
}

TEST(Serializer, RemembersNothingOfAnotherBatchesTransaction) {
  Feed feed;
  Serializer serializer({});
  const auto first = feed.decode({at(0, begin(1000, 700)), at(0, relation(plain_table())),
                                  at(910, insert(kPlain, {"1", "a"})), at(1010, commit(1000, 1010))});
  serializer.serialize(*first);
  const auto second = feed.decode({at(0, begin(2000, 701)), at(1910, insert(kPlain, {"2", "b"}))});
  serializer.serialize(*second);
  EXPECT_THAT(lines(*second).at(0), HasSubstr(R"("txId":701,"lsn":1910,"xmin":null,"commit_lsn":2000,"index":0})"));
}

TEST(Serializer, PrintsBothDescriptionsOfATableThatChangedInTheBatch) {
  TableSpec changed = plain_table();
  changed.columns.push_back({"w", kInt4});
  const auto all = printed({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                            at(0, relation(changed)), at(920, insert(kPlain, {"2", "b", "3"}))});
  EXPECT_EQ(after(all.at(0)), R"({"id":1,"v":"a"})");
  EXPECT_EQ(after(all.at(1)), R"({"id":2,"v":"b","w":3})");
}

TEST(Serializer, SurvivesMoreRelationsThanItRemembers) {
  Feed feed({}, 1 << 20);
  Serializer serializer({});
  feed.decode({at(0, begin(1000))});
  for (std::uint32_t round = 0; round < 2; ++round) {
    for (std::uint32_t i = 0; i < 5000; i += 100) {
      Strings frames;
      for (std::uint32_t k = i; k < i + 100; ++k) {
        frames.push_back(at(0, relation({20000 + k, "public", fmt::format("t{}", k), 'd', {{"id", kInt4, true}}})));
        frames.push_back(at(910, insert(20000 + k, {std::to_string(k)})));
      }
      const auto batch = feed.decode(frames);
      serializer.serialize(*batch);
      const auto all = lines(*batch);
      ASSERT_EQ(all.size(), 100U);
      for (std::uint32_t k = 0; k < 100; ++k) {
        ASSERT_THAT(all[k], HasSubstr(fmt::format(R"("table":"t{}")", i + k)));
        ASSERT_EQ(after(all[k]), fmt::format(R"({{"id":{}}})", i + k));
      }
    }
  }
}

TEST(Serializer, StopsAfterAWholeChangeOnceTheLinesOutgrowTheBatch) {
  // Control characters grow sixfold, so lines outgrow three times the frames again and again.
  Strings frames{at(0, begin(1000)), at(0, relation(plain_table()))};
  for (int i = 0; i < 40; ++i) {
    frames.push_back(at(910, insert(kPlain, {std::to_string(i), std::string(100 + 37 * i % 500, '\x01')})));
  }
  std::string expected;
  for (const std::string& line : printed(frames)) expected += line;

  constexpr std::size_t kFrameBytes = 2048;
  Feed feed({}, kFrameBytes);
  const auto batch = feed.decode(frames);
  ASSERT_EQ(batch->changes.size(), 40U);
  Serializer serializer({});
  std::string collected;
  int rounds = 0;
  while (batch->changes_written < batch->changes.size()) {
    serializer.serialize(*batch);
    ASSERT_FALSE(batch->line_ends.empty());
    EXPECT_EQ(batch->line_ends.back(), batch->lines.size());
    const std::size_t before_last = batch->line_ends.size() > 1 ? batch->line_ends[batch->line_ends.size() - 2] : 0;
    EXPECT_LT(before_last, batch->line_bytes()) << "a change more than was needed";
    collected += batch->lines.view();
    batch->changes_written += static_cast<std::uint32_t>(batch->line_ends.size());
    batch->line_ends.clear();
    batch->lines.clear(batch->line_bytes());
    ++rounds;
  }
  EXPECT_GT(rounds, 3);
  EXPECT_EQ(collected, expected);
}

TEST(Serializer, AddsNothingToABatchThatIsWritten) {
  Feed feed;
  const auto batch = feed.decode({keepalive(500)});
  Serializer({}).serialize(*batch);
  EXPECT_TRUE(batch->lines.empty());
  EXPECT_TRUE(batch->line_ends.empty());
}

}  // namespace
}  // namespace walcat::test
