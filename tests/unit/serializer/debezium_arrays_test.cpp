// Arrays of any depth and element type.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

constexpr std::uint32_t kInt4Array = 1007;
constexpr std::uint32_t kTextArray = 1009;
constexpr std::uint32_t kBoxArray = 1020;

TEST(DebeziumArray, PrintsElementsInTheirForm) {
  EXPECT_EQ(value(kInt4Array, "{1,NULL,-3}"), "[1,null,-3]");
  EXPECT_EQ(value(kInt4Array, "{}"), "[]");
  EXPECT_EQ(value(1000, "{t,f}"), "[true,false]");
  EXPECT_EQ(value(1022, "{1,NaN}"), R"([1.0,"NaN"])");
  EXPECT_EQ(value(1182, "{1970-01-02,infinity}"), "[1,-2147472692]");
  EXPECT_EQ(value(column_of(1115, 3), R"({"1970-01-01 00:00:01",NULL})"), "[1000,null]");
  EXPECT_EQ(value(column_of(1561, 1), "{1,0}"), "[true,false]");
  EXPECT_EQ(value(1001, R"({"\\x01","\\x"})"), R"(["AQ==",""])");
  EXPECT_EQ(value(1187, R"({"1 day",01:00:00})"), "[86400000000,3600000000]");
  EXPECT_EQ(value(1017, R"j({"(1,2)"})j"), R"([{"x":1.0,"y":2.0,"wkb":"AQEAAAAAAAAAAADwPwAAAAAAAABA","srid":null}])");
  EXPECT_EQ(value(791, R"({$1.00,"-$1,000.00"})"), R"(["1.00","-1000.00"])");
}

TEST(DebeziumArray, PrintsNumericAsTheModeAndTheModifierSay) {
  DebeziumOptions precise;
  precise.decimal_handling_mode = DebeziumOptions::DecimalHandling::kPrecise;
  EXPECT_EQ(value(1231, "{1.50,NaN}"), R"(["1.50","NAN"])");
  EXPECT_EQ(value(column_of(1231, numeric_modifier(10, 2)), "{1234.50}", precise), R"(["AeI6"])");
  EXPECT_EQ(value(1231, "{1.50,NULL}", precise), R"([{"scale":1,"value":"Dw=="},null])");
}

TEST(DebeziumArray, NestsAsPostgresDoes) {
  EXPECT_EQ(value(kInt4Array, "{{1,2},{3,NULL}}"), "[[1,2],[3,null]]");
  EXPECT_EQ(value(kInt4Array, "{{{{{{7}}}}}}"), "[[[[[[7]]]]]]");
}

TEST(DebeziumArray, LeavesBoundsOut) {
  EXPECT_EQ(value(kInt4Array, "[0:1]={1,2}"), "[1,2]");
  EXPECT_EQ(value(kInt4Array, "[-5:-4][1:1]={{1},{2}}"), "[[1],[2]]");
}

TEST(DebeziumArray, UnescapesQuotedElements) {
  EXPECT_EQ(value(kTextArray, R"({"a b","c\"d","e\\f","NULL",NULL,"","{}","x,y"})"),
            R"(["a b","c\"d","e\\f","NULL",null,"","{}","x,y"])");
  const std::string long_text(40'000, '"');
  std::string escaped;
  for (std::size_t i = 0; i < long_text.size(); ++i) escaped += "\\\"";
  EXPECT_EQ(value(kTextArray, "{\"" + escaped + "\",\"\\\\\"}"), "[\"" + escaped + R"(","\\"])");
}

TEST(DebeziumArray, FollowsTheTypesDelimiter) {
  EXPECT_EQ(value(kBoxArray, "{(1,1),(0,0);(2,2),(1,1)}"), R"j(["(1,1),(0,0)","(2,2),(1,1)"])j");
  EXPECT_EQ(value(column_of(array_of(user_type("odd"), ';')), "{a,b;c}"), R"(["a,b","c"])");
}

TEST(DebeziumArray, PrintsArraysOfUserTypes) {
  EXPECT_EQ(value(column_of(array_of(user_type("mood", TypeKind::kEnum))), R"({good,"so so"})"), R"(["good","so so"])");
  EXPECT_EQ(value(column_of(array_of(user_type("pair", TypeKind::kComposite))), R"j({"(1,\"x y\")",NULL})j"),
            R"j(["(1,\"x y\")",null])j");
  EXPECT_EQ(value(column_of(array_of(domain_over(type_oid::kTimestamp, 3))), R"({"1970-01-01 00:00:01"})"), "[1000]");
  EXPECT_EQ(value(column_of(array_of(domain_over(kInt4Array))), R"({"{1,2}","{3}"})"), "[[1,2],[3]]");
  EXPECT_EQ(value(column_of(array_of(domain_over(kTextArray))), R"({"{\"a b\",\"c\\\\\"d\"}"})"),
            R"(["{\"a b\",\"c\\\\\"d\"}"])");
  EXPECT_EQ(value(column_of(array_of(user_type("hstore"))), R"({"\"k\"=>\"v\""})"), R"(["{\"k\":\"v\"}"])");
}

TEST(DebeziumArray, PrintsAnElementThatIsNotOfItsTypeAsItsText) {
  EXPECT_EQ(value(kInt4Array, "{1,x,0x2}"), R"([1,"x","0x2"])");
}

TEST(DebeziumArray, PrintsWhatIsNoArrayAsItsText) {
  for (const char* text :
       {"",     "{",      "}",     "1",        "{1",       "1}",    "{1}}", "{1}{2}",   "{1,}",   "{,1}",
        "{1 2", "{{1},2", "{\"a}", "{\"a\"b}", "{a\"b\"}", "{a\\}", "{1}x", "[0:1]{1}", "[0:1]=", "{{{{{{{1}}}}}}}",
        "{1}{"}) {
    EXPECT_EQ(value(kInt4Array, text).front(), '"') << text;
  }
}

}  // namespace
}  // namespace walcat::test
