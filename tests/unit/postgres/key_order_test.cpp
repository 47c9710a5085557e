// How the order of a key is said in SQL.

#include "walcat/postgres/key_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace walcat {
namespace {

using testing::ElementsAre;

std::string quoted(std::string_view text) { return "'" + std::string(text) + "'"; }

KeyColumn number(const std::string& name) {
  return {name,
          "integer",
          "pg_catalog.int4",
          false,
          "",
          "OPERATOR(pg_catalog.<)",
          "OPERATOR(pg_catalog.<=)",
          "OPERATOR(pg_catalog.=)",
          "OPERATOR(pg_catalog.>)"};
}

KeyColumn letters(const std::string& name) {
  return {name,
          "some.domain",
          "ext.citext",
          true,
          R"(pg_catalog."C")",
          "OPERATOR(ext.<)",
          "OPERATOR(ext.<=)",
          "OPERATOR(ext.=)",
          "OPERATOR(ext.>)"};
}

TEST(KeyOrder, OrdersByTheOperatorsOfEachColumn) {
  const KeyOrder order({letters("a\"b"), number("n")});
  const std::string operand = R"("a""b"::ext.citext COLLATE pg_catalog."C")";
  EXPECT_EQ(order.ascending(), "ORDER BY " + operand + R"( USING OPERATOR(ext.<), "n" USING OPERATOR(pg_catalog.<))");
  EXPECT_EQ(order.descending(), "ORDER BY " + operand + R"( USING OPERATOR(ext.>), "n" USING OPERATOR(pg_catalog.>))");
}

TEST(KeyOrder, ReadsOneColumnByOneRange) {
  const KeyOrder order({number("n")});
  EXPECT_THAT(order.after({"5"}, quoted), ElementsAre(R"("n" OPERATOR(pg_catalog.>) '5'::pg_catalog.int4)"));
  EXPECT_EQ(order.up_to({"5"}, quoted), R"("n" OPERATOR(pg_catalog.<=) '5'::pg_catalog.int4)");
}

TEST(KeyOrder, ReadsSeveralColumnsByRangesOfTheIndex) {
  const KeyOrder order({number("a"), number("b"), number("c")});
  const std::string same_a = R"("a" OPERATOR(pg_catalog.=) '1'::pg_catalog.int4 AND )";
  const std::string same_b = R"("b" OPERATOR(pg_catalog.=) '2'::pg_catalog.int4 AND )";
  EXPECT_THAT(order.after({"1", "2", "3"}, quoted),
              ElementsAre(same_a + same_b + R"("c" OPERATOR(pg_catalog.>) '3'::pg_catalog.int4)",
                          same_a + R"("b" OPERATOR(pg_catalog.>) '2'::pg_catalog.int4)",
                          R"("a" OPERATOR(pg_catalog.>) '1'::pg_catalog.int4)"));
  EXPECT_EQ(order.up_to({"1", "2", "3"}, quoted),
            R"("a" OPERATOR(pg_catalog.<=) '1'::pg_catalog.int4 AND ("a" OPERATOR(pg_catalog.<) '1'::pg_catalog.int4)"
            " OR " +
                same_a + R"("b" OPERATOR(pg_catalog.<) '2'::pg_catalog.int4 OR )" + same_a + same_b +
                R"("c" OPERATOR(pg_catalog.<=) '3'::pg_catalog.int4))");
}

TEST(KeyOrder, FindsRowsByTheEqualityOfTheIndex) {
  const KeyOrder order({letters("k"), number("n")});
  const std::string operand = R"("k"::ext.citext COLLATE pg_catalog."C")";
  const auto row = [&](const std::string& k, const std::string& n) {
    return "(" + operand + " OPERATOR(ext.=) '" + k + R"('::ext.citext AND "n" OPERATOR(pg_catalog.=) ')" + n +
           "'::pg_catalog.int4)";
  };
  EXPECT_EQ(order.any_of({{"x", "1"}}, quoted), row("x", "1"));
  EXPECT_EQ(order.any_of({{"x", "1"}, {"y", "2"}}, quoted), row("x", "1") + " OR " + row("y", "2"));
}

TEST(KeyOrder, TellsOrdersApart) {
  KeyColumn other = letters("k");
  other.less = "OPERATOR(ext.~<~)";
  KeyColumn elsewhere = letters("k");
  elsewhere.collation = "";
  EXPECT_THAT(KeyOrder({letters("k")}).description(),
              ElementsAre(R"(k some.domain COLLATE pg_catalog."C" OPERATOR(ext.<))"));
  EXPECT_NE(KeyOrder({letters("k")}).description(), KeyOrder({other}).description());
  EXPECT_NE(KeyOrder({letters("k")}).description(), KeyOrder({elsewhere}).description());
}

// A constant would make PostgreSQL 18 fail to estimate how many lie beyond it.
TEST(KeyOrder, HidesABareCharFromThePlanner) {
  KeyColumn column = number("c");
  column.compared_as = R"(pg_catalog."char")";
  EXPECT_THAT(KeyOrder({column}).after({"x"}, quoted),
              ElementsAre(R"("c" OPERATOR(pg_catalog.>) (SELECT 'x'::pg_catalog."char"))"));
}

}  // namespace
}  // namespace walcat
