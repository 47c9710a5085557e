#include "walcat/model/table_name.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

TEST(TableName, FoldsPlainNamesAndKeepsQuotedOnes) {
  EXPECT_EQ(TableName::parse("public.orders"), (TableName{"public", "orders"}));
  EXPECT_EQ(TableName::parse("Public.Orders"), (TableName{"public", "orders"}));
  EXPECT_EQ(TableName::parse(R"("Public".orders)"), (TableName{"Public", "orders"}));
  EXPECT_EQ(TableName::parse(R"("a.b"."c ""d""")"), (TableName{"a.b", "c \"d\""}));
  EXPECT_EQ(TableName::parse("_a.b$1"), (TableName{"_a", "b$1"}));
  EXPECT_EQ(TableName::parse("schöma.täble"), (TableName{"schöma", "täble"}));
}

TEST(TableName, RefusesWhatIsNotSchemaAndTable) {
  for (const char* text : {"", ".", "orders", "a.", ".b", "a.b.c", "a b.c", "a.b ", " a.b", "1a.b", "a.$b", "\"a.b",
                           "\"\".b", "a.\"\"", "\"a\"b.c", "a-b.c", "a.*"}) {
    EXPECT_FALSE(TableName::parse(text).has_value()) << text;
  }
}

TEST(TableName, IsSafeInSql) {
  EXPECT_EQ((TableName{"public", "order"}).quoted(), R"("public"."order")");
  EXPECT_EQ((TableName{"a.b", "c\"; DROP"}).quoted(), R"("a.b"."c""; DROP")");
}

TEST(TableName, ReadsWhatItShowsPeople) {
  for (const TableName& name :
       {TableName{"public", "orders"}, TableName{"Public", "a.b"}, TableName{"x", "\"y\""}, TableName{"1", "a b"}}) {
    EXPECT_EQ(TableName::parse(name.to_string()), name) << name.to_string();
    EXPECT_EQ(TableName::parse(name.quoted()), name);
  }
  EXPECT_EQ((TableName{"public", "Orders"}).to_string(), R"(public."Orders")");
}

}  // namespace
}  // namespace walcat
