// What each pgoutput message becomes.

#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

TEST(Decoder, TurnsInsertsUpdatesAndDeletesIntoChanges) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(plain_table())),
                                  at(910, insert(kPlain, {"1", "one"})), at(920, update(kPlain, {"1", "two"})),
                                  at(930, remove(kPlain, 'K', {"1", kNullValue})), at(1010, commit(1000, 1010))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, one)", "1000.1 update public.t -> (1, two)",
                                      "1000.2 delete public.t key(1, NULL)"}));
}

TEST(Decoder, KeepsTheTransactionOfEachChange) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000, 700, 123'456)), at(0, relation(plain_table())),
                                  at(910, insert(kPlain, {"1", "a"})), at(1010, commit(1000, 1010)),
                                  at(1010, begin(2000, 701, -5)), at(1020, insert(kPlain, {"2", "b"})),
                                  at(1030, insert(kPlain, {"3", "c"})), at(2010, commit(2000, 2010))});
  ASSERT_EQ(batch->transactions.size(), 2U);
  EXPECT_EQ(batch->transactions[0].commit_lsn, Lsn{1000});
  EXPECT_EQ(batch->transactions[0].commit_time, 123'456);
  EXPECT_EQ(batch->transactions[0].xid, 700U);
  EXPECT_EQ(batch->transactions[1].commit_lsn, Lsn{2000});
  EXPECT_EQ(batch->transactions[1].commit_time, -5);
  EXPECT_EQ(batch->transactions[1].xid, 701U);
  EXPECT_EQ(batch->changes[0].transaction, 0U);
  EXPECT_EQ(batch->changes[1].transaction, 1U);
  EXPECT_EQ(batch->changes[2].transaction, 1U);
}

TEST(Decoder, TakesTheLsnOfTheFrameOrElseTheTransactions) {
  Feed feed;
  const auto batch = feed.decode({at(900, begin(1000)), at(0, relation(plain_table())),
                                  at(910, insert(kPlain, {"1", "a"})), at(0, insert(kPlain, {"2", "b"}))});
  ASSERT_EQ(batch->changes.size(), 2U);
  EXPECT_EQ(batch->changes[0].lsn, Lsn{910});
  EXPECT_EQ(batch->changes[1].lsn, Lsn{1000});
}

TEST(Decoder, ReadsARelationAsItStands) {
  Feed feed;
  const TableSpec table{16385, "Ünder \"q\"", "a.b", 'f', {{"id", kInt4, true}, {"n", kNumeric, true, 655366}}};
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(table)), at(910, insert(16385, {"1", kNullValue}))});
  ASSERT_EQ(batch->changes.size(), 1U);
  const Relation& relation = *batch->changes[0].relation;
  EXPECT_EQ(relation.oid, 16385U);
  EXPECT_EQ(relation.schema, "Ünder \"q\"");
  EXPECT_EQ(relation.name, "a.b");
  EXPECT_EQ(relation.identity, ReplicaIdentity::kFull);
  ASSERT_EQ(relation.columns.size(), 2U);
  EXPECT_EQ(relation.columns[0].type_modifier, -1);
  EXPECT_EQ(relation.columns[1].name, "n");
  EXPECT_EQ(relation.columns[1].type_oid, kNumeric);
  EXPECT_EQ(relation.columns[1].type_modifier, 655366);
  EXPECT_TRUE(relation.columns[1].is_key);
}

TEST(Decoder, ReadsAnEmptySchemaAsPgCatalog) {
  Feed feed;
  TableSpec table = plain_table();
  table.schema = "";
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(table)), at(910, insert(kPlain, {"1", "a"}))});
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert pg_catalog.t (1, a)"}));
}

TEST(Decoder, KnowsEveryReplicaIdentity) {
  const auto decoded_identity = [](char letter) {
    Feed feed;
    TableSpec table = plain_table();
    table.identity = letter;
    const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(table)), at(910, insert(kPlain, {"1", "a"}))});
    return batch->changes.at(0).relation->identity;
  };
  EXPECT_EQ(decoded_identity('d'), ReplicaIdentity::kDefault);
  EXPECT_EQ(decoded_identity('n'), ReplicaIdentity::kNothing);
  EXPECT_EQ(decoded_identity('f'), ReplicaIdentity::kFull);
  EXPECT_EQ(decoded_identity('i'), ReplicaIdentity::kIndex);
}

TEST(Decoder, PutsOldCellsBeforeNewOnes) {
  Feed feed;
  const auto batch = feed.decode(
      {at(0, begin(1000)), at(0, relation(plain_table())), at(910, update(kPlain, 'K', {"1", kNullValue}, {"2", "b"})),
       at(920, update(kPlain, 'O', {"2", "b"}, {"2", "c"})), at(930, remove(kPlain, 'O', {"2", "c"}))});
  EXPECT_EQ(changes(*batch),
            (Strings{"1000.0 update public.t key(1, NULL) -> (2, b)", "1000.1 update public.t old(2, b) -> (2, c)",
                     "1000.2 delete public.t old(2, c)"}));
}

TEST(Decoder, KeepsUnchangedToastCellsApart) {
  Feed feed;
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, update(kPlain, {"1", kUnchangedValue})),
                   at(920, update(kPlain, 'O', {"1", "long"}, {"1", kUnchangedValue})),
                   at(930, update(kPlain, {"1", kNullValue})), at(940, update(kPlain, {"1", ""}))});
  EXPECT_EQ(changes(*batch),
            (Strings{"1000.0 update public.t -> (1, ~)", "1000.1 update public.t old(1, long) -> (1, ~)",
                     "1000.2 update public.t -> (1, NULL)", "1000.3 update public.t -> (1, )"}));
}

TEST(Decoder, TakesATableWithoutColumns) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation({16390, "public", "none", 'd', {}})),
                                  at(910, insert(16390, {})), at(1010, commit(1000, 1010))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.none ()"}));
}

TEST(Decoder, TakesATableWithSixteenHundredColumns) {
  TableSpec table{16391, "public", "wide", 'd', {}};
  Tuple row;
  for (int i = 0; i < 1600; ++i) {
    table.columns.push_back({fmt::format("c{}", i), kInt4, i == 0});
    row.emplace_back(std::to_string(i));
  }
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(table)), at(910, insert(16391, row))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  ASSERT_EQ(batch->cells.size(), 1600U);
  EXPECT_EQ(batch->text(batch->cells[1599]), "1599");
}

TEST(Decoder, GivesEachTruncatedTableAChange) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(0, relation(other_table())),
                                  at(910, truncate({kPlain, kOther}, 3)), at(920, insert(kPlain, {"1", "a"}))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch),
            (Strings{"1000.0 truncate public.t", "1000.1 truncate public.other", "1000.2 insert public.t (1, a)"}));
}

TEST(Decoder, CountsATransactionalMessageLikeAnyChange) {
  Feed feed;
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(plain_table())),
                                  at(910, insert(kPlain, {"1", "a"})), at(920, logical_message(true, 920, "p", "body")),
                                  at(930, insert(kPlain, {"2", "b"})), at(1010, commit(1000, 1010))});
  EXPECT_EQ(changes(*batch),
            (Strings{"1000.0 insert public.t (1, a)", "1000.1 message (p, body)", "1000.2 insert public.t (2, b)"}));
  EXPECT_EQ(batch->changes[1].lsn, Lsn{920});
  EXPECT_EQ(batch->changes[1].relation, nullptr);
}

TEST(Decoder, IdentifiesAMessageOutsideTransactionsByTheByteBeforeItsLsn) {
  Feed feed;
  const auto batch = feed.decode({at(500, logical_message(false, 500, "hb", std::string("\0\xFF", 2)), 77)});
  ASSERT_EQ(batch->changes.size(), 1U);
  EXPECT_EQ(changes(*batch), (Strings{"499.0 message (hb, " + std::string("\0\xFF", 2) + ")"}));
  EXPECT_EQ(batch->changes[0].lsn, Lsn{500});
  EXPECT_EQ(batch->transactions[0].xid, 0U);
  EXPECT_EQ(batch->transactions[0].commit_time, 77);
}

TEST(Decoder, GivesEachMessageOutsideTransactionsATransactionOfItsOwn) {
  Feed feed;
  const auto batch =
      feed.decode({at(500, logical_message(false, 500, "a", "")), at(0, begin(1000)), at(0, relation(plain_table())),
                   at(910, insert(kPlain, {"1", "a"})), at(1010, commit(1000, 1010)),
                   at(1100, logical_message(false, 1100, "b", "")), at(1200, logical_message(false, 1200, "c", ""))});
  EXPECT_EQ(changes(*batch), (Strings{"499.0 message (a, )", "1000.0 insert public.t (1, a)", "1099.0 message (b, )",
                                      "1199.0 message (c, )"}));
}

TEST(Decoder, GivesOriginsAndTypesNoIndex) {
  Feed feed;
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, origin(44, "upstream")), at(0, type(20000, "public", "mood")),
                   at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})), at(0, relation(plain_table())),
                   at(920, insert(kPlain, {"2", "b"}))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(indexes(*batch), (std::vector<std::uint64_t>{0, 1}));
}

TEST(Decoder, NumbersEachTransactionFromZero) {
  Feed feed;
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                   at(920, insert(kPlain, {"2", "b"})), at(1010, commit(1000, 1010)), at(0, begin(2000)),
                   at(1910, insert(kPlain, {"3", "c"})), at(2010, commit(2000, 2010))});
  EXPECT_EQ(indexes(*batch), (std::vector<std::uint64_t>{0, 1, 0}));
}

}  // namespace
}  // namespace walcat::test
