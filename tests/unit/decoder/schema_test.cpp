// Relations and types: what the stream described, when it changed, and who still sees the old one.

#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

TableSpec with_columns(std::vector<ColumnSpec> columns) {
  TableSpec table = plain_table();
  table.columns = std::move(columns);
  return table;
}

TEST(Decoder, LeavesChangesBeforeASchemaChangeTheirRelation) {
  Feed feed;
  const auto batch = feed.decode(
      {at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
       at(0, relation(with_columns({{"id", kInt4, true}, {"v"}, {"w"}}))), at(920, insert(kPlain, {"2", "b", "new"}))});
  ASSERT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, a)", "1000.1 insert public.t (2, b, new)"}));
  EXPECT_EQ(batch->changes[0].relation->columns.size(), 2U);
  EXPECT_EQ(batch->changes[1].relation->columns.size(), 3U);
}

TEST(Decoder, PinsTheRelationOfAnEarlierBatchInEachBatch) {
  Feed feed;
  auto first = feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"}))});
  first.reset();
  auto second = feed.decode({at(920, insert(kPlain, {"2", "b"})), at(930, insert(kPlain, {"3", "c"}))});
  EXPECT_EQ(second->relations.size(), 1U);
  auto third = feed.decode({at(0, relation(with_columns({{"other", kInt4, true}}))), at(940, insert(kPlain, {"4"}))});
  // The cache has let go of the old description; the batch has not.
  EXPECT_EQ(changes(*second), (Strings{"1000.1 insert public.t (2, b)", "1000.2 insert public.t (3, c)"}));
  EXPECT_EQ(changes(*third), (Strings{"1000.3 insert public.t (4)"}));
}

TEST(Decoder, KeepsTheRelationThatIsDescribedAgainUnchanged) {
  Feed feed;
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                   at(0, relation(plain_table())), at(920, insert(kPlain, {"2", "b"}))});
  EXPECT_EQ(batch->changes[0].relation, batch->changes[1].relation);
  const auto later = feed.decode({at(0, relation(plain_table())), at(930, insert(kPlain, {"3", "c"}))});
  EXPECT_EQ(later->changes[0].relation, batch->changes[0].relation);
}

TEST(Decoder, FollowsARename) {
  Feed feed;
  TableSpec renamed = plain_table();
  renamed.schema = "archive";
  renamed.name = "old_t";
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                   at(0, relation(renamed)), at(920, insert(kPlain, {"2", "b"}))});
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, a)", "1000.1 insert archive.old_t (2, b)"}));
}

TEST(Decoder, SeesAChangedReplicaIdentity) {
  Feed feed;
  TableSpec full = plain_table();
  full.identity = 'f';
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
                   at(0, relation(full)), at(920, insert(kPlain, {"2", "b"}))});
  EXPECT_EQ(batch->changes[0].relation->identity, ReplicaIdentity::kDefault);
  EXPECT_EQ(batch->changes[1].relation->identity, ReplicaIdentity::kFull);
}

TEST(Decoder, TellsRelationsApartThatAlternate) {
  Feed feed;
  TableSpec other{16400, "public", "u", 'd', {{"x"}}};
  const auto batch = feed.decode({at(0, begin(1000)), at(0, relation(plain_table())), at(0, relation(other)),
                                  at(910, insert(kPlain, {"1", "a"})), at(920, insert(16400, {"x1"})),
                                  at(930, insert(kPlain, {"2", "b"})), at(940, insert(16400, {"x2"}))});
  EXPECT_EQ(changes(*batch), (Strings{"1000.0 insert public.t (1, a)", "1000.1 insert public.u (x1)",
                                      "1000.2 insert public.t (2, b)", "1000.3 insert public.u (x2)"}));
  EXPECT_EQ(batch->relations.size(), 2U);
}

TEST(Decoder, GivesColumnsTheNamesOfTypesThatAreNotBuiltIn) {
  Feed feed;
  const auto batch =
      feed.decode({at(0, begin(1000)), at(0, type(20000, "public", "mood")), at(0, type(20001, "", "int4")),
                   at(0, relation(with_columns({{"m", 20000}, {"positive", 20001}, {"v"}}))),
                   at(910, insert(kPlain, {"glad", "1", "a"}))});
  ASSERT_EQ(batch->changes.size(), 1U);
  const auto& columns = batch->changes[0].relation->columns;
  EXPECT_EQ(columns[0].type_schema, "public");
  EXPECT_EQ(columns[0].type_name, "mood");
  EXPECT_EQ(columns[1].type_schema, "");
  EXPECT_EQ(columns[1].type_name, "int4");
  EXPECT_EQ(columns[2].type_name, "");
}

TEST(Decoder, TakesARenamedTypeAsAChangedRelation) {
  Feed feed;
  const TableSpec table = with_columns({{"m", 20000}});
  const auto batch = feed.decode({at(0, begin(1000)), at(0, type(20000, "public", "mood")), at(0, relation(table)),
                                  at(910, insert(kPlain, {"glad"})), at(0, type(20000, "public", "temper")),
                                  at(0, relation(table)), at(920, insert(kPlain, {"sad"}))});
  EXPECT_EQ(batch->changes[0].relation->columns[0].type_name, "mood");
  EXPECT_EQ(batch->changes[1].relation->columns[0].type_name, "temper");
}

TEST(Decoder, ForgetsRelationsAndTypesOfAnEarlierSession) {
  Feed feed;
  feed.decode({at(0, begin(1000)), at(0, type(20000, "", "int4")), at(0, relation(with_columns({{"p", 20000}}))),
               at(910, insert(kPlain, {"1"})), at(1010, commit(1000, 1010))});
  feed.reconnect();
  const auto batch = feed.decode({at(0, begin(2000)), at(0, relation(with_columns({{"p", 20000}}))),
                                  at(1910, insert(kPlain, {"2"})), at(2010, commit(2000, 2010))});
  ASSERT_EQ(batch->changes.size(), 1U);
  EXPECT_EQ(batch->changes[0].relation->columns[0].type_name, "");
  feed.reconnect();
  feed.decode({at(0, begin(3000)), at(2910, insert(kPlain, {"3"}))});
  EXPECT_EQ(feed.status().code(), StatusCode::kProtocolError);
}

}  // namespace
}  // namespace walcat::test
