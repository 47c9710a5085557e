// How a column's type leads to its form: strings, user types, domains, extensions, and placeholders.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kName = 19;
constexpr std::uint32_t kInt4Range = 3904;

DebeziumOptions placeholder(std::string text) {
  DebeziumOptions options;
  options.unavailable_value_placeholder = std::move(text);
  return options;
}

Type enum_type() {
  Type type = user_type("mood", TypeKind::kEnum);
  type.labels = {"good", "so \"so\""};
  return type;
}

TEST(DebeziumType, PrintsTextsAsStrings) {
  for (const std::uint32_t oid : {kText, kName, 1042U, 1043U, 18U, 2950U, 114U, 3802U, 142U, 869U, 829U, kInt4Range,
                                  4451U, 3614U, 3220U, 718U, 603U, 22U, 99'999U}) {
    EXPECT_EQ(value(oid, "a\"b\\\n"), R"("a\"b\\\n")") << oid;
    EXPECT_EQ(value(oid, ""), R"("")") << oid;
  }
}

TEST(DebeziumType, PeelsDomains) {
  const Type millis = domain_over(type_oid::kTimestamp, 3);
  EXPECT_EQ(value(column_of(millis), "1970-01-01 00:00:01.5"), "1500");
  const Type outer = domain_over(millis.oid, -1, &millis);
  EXPECT_EQ(value(column_of(outer), "1970-01-01 00:00:01.5"), "1500");
  const Type mood = enum_type();
  EXPECT_EQ(value(column_of(domain_over(mood.oid, -1, &mood)), "good"), R"("good")");
  EXPECT_EQ(value(column_of(domain_over(1007)), "{1,NULL}"), "[1,null]");
}

TEST(DebeziumType, KnowsADomainsBaseByNameIfNothingElseIsKnown) {
  Column column = column_of(20'000);
  column.type_name = "int4";
  EXPECT_EQ(value(column, "12"), "12");
  column.type_name = "_bool";
  EXPECT_EQ(value(column, "{t}"), "[true]");
  column.type_schema = "public";
  EXPECT_EQ(value(column, "{t}"), R"("{t}")");
  column.type_schema.clear();
  column.type_name = "no such type";
  EXPECT_EQ(value(column, "12"), R"("12")");
}

TEST(DebeziumType, PrintsEnumsCompositesAndRangesAsTheirText) {
  EXPECT_EQ(value(column_of(enum_type()), "so \"so\""), R"("so \"so\"")");
  for (const TypeKind kind : {TypeKind::kComposite, TypeKind::kRange, TypeKind::kMultirange}) {
    EXPECT_EQ(value(column_of(user_type("hstore", kind)), "(1,\"x\")"), R"j("(1,\"x\")")j");
  }
}

TEST(DebeziumType, PrintsExtensionTypesAsStrings) {
  for (const char* name : {"citext", "ltree", "isbn", "ean13", "cube", "somebody's"}) {
    EXPECT_EQ(value(column_of(user_type(name)), "0-393-04002-X"), R"("0-393-04002-X")");
  }
}

TEST(DebeziumType, PrintsHstoreAsStringOfJson) {
  const Column column = column_of(user_type("hstore"));
  EXPECT_EQ(value(column, R"("k"=>"v", "n"=>NULL)"), R"("{\"k\":\"v\",\"n\":null}")");
  EXPECT_EQ(value(column, ""), R"("{}")");
  EXPECT_EQ(value(column, R"("a\"b"=>"c\\d")"), R"("{\"a\\\"b\":\"c\\\\d\"}")");
}

TEST(DebeziumType, PrintsHstoreAsObject) {
  DebeziumOptions options;
  options.hstore_handling_mode = DebeziumOptions::HstoreHandling::kMap;
  const Column column = column_of(user_type("hstore"));
  EXPECT_EQ(value(column, R"("k"=>"v", "n"=>NULL, "s"=>"NULL")", options), R"({"k":"v","n":null,"s":"NULL"})");
  EXPECT_EQ(value(column, R"("a\"b"=>"c\\d")", options), R"({"a\"b":"c\\d"})");
  EXPECT_EQ(value(column, "", options), "{}");
  for (const char* text :
       {"x", "\"", "\"k\"", "\"k\"=>", "\"k\"=>1", "\"k\"=>\"v\",", "\"k\"=>\"v\", ", "\"k\"=>\"v\\"}) {
    EXPECT_EQ(value(column, text, options).front(), '"') << text;
  }
}

TEST(DebeziumType, PrintsVectorsAsNumbers) {
  EXPECT_EQ(value(column_of(user_type("vector")), "[1,2.5,-3e-05]"), "[1.0,2.5,-3e-05]");
  EXPECT_EQ(value(column_of(user_type("halfvec")), "[1]"), "[1.0]");
  EXPECT_EQ(value(column_of(user_type("sparsevec")), "{1:201,9:209.5}/3000"),
            R"({"dimensions":3000,"vector":[[1,201.0],[9,209.5]]})");
  EXPECT_EQ(value(column_of(user_type("sparsevec")), "{}/5"), R"({"dimensions":5,"vector":[]})");
  for (const char* text : {"", "[", "[1,]", "[,1]", "[x]", "1,2", "{1:1}", "{1}/5", "{1:x}/5", "{01:1}/5"}) {
    EXPECT_EQ(value(column_of(user_type("vector")), text), '"' + std::string(text) + '"');
    EXPECT_EQ(value(column_of(user_type("sparsevec")), text), '"' + std::string(text) + '"');
  }
}

TEST(DebeziumType, PrintsThePlaceholderInTheTypesForm) {
  static constexpr const char* kText64 = R"("X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==")";
  static constexpr const char* kPlain = R"("__debezium_unavailable_value")";
  for (const std::uint32_t oid : {kText, type_oid::kNumeric, type_oid::kJsonb, type_oid::kXml, kInt4Range}) {
    EXPECT_EQ(unavailable(column_of(oid)), kPlain);
  }
  EXPECT_EQ(unavailable(column_of(type_oid::kBytea)), kText64);
  EXPECT_EQ(unavailable(column_of(type_oid::kVarbit)), kText64);
  EXPECT_EQ(unavailable(column_of(1009)), R"(["__debezium_unavailable_value"])");
  EXPECT_EQ(unavailable(column_of(1007)), R"(["__debezium_unavailable_value"])");
  EXPECT_EQ(unavailable(column_of(1001)), "[" + std::string(kText64) + "]");
  EXPECT_EQ(unavailable(column_of(user_type("hstore"))),
            R"("{\"__debezium_unavailable_value\":\"__debezium_unavailable_value\"}")");
  EXPECT_EQ(unavailable(column_of(user_type("geometry"))), R"({"wkb":)" + std::string(kText64) + R"(,"srid":null})");
  EXPECT_EQ(unavailable(column_of(user_type("vector"))), R"(["__debezium_unavailable_value"])");
}

TEST(DebeziumType, ReadsThePlaceholdersConfiguredForm) {
  EXPECT_EQ(unavailable(column_of(kText), placeholder("say \"no\"")), R"("say \"no\"")");
  EXPECT_EQ(unavailable(column_of(kText), placeholder("hex:6E6f")), R"("no")");
  EXPECT_EQ(unavailable(column_of(type_oid::kBytea), placeholder("hex:ff00")), R"("/wA=")");
  EXPECT_EQ(unavailable(column_of(kText), placeholder("hex:ff00")), R"("hex:ff00")");
  EXPECT_EQ(unavailable(column_of(kText), placeholder("hex:f")), R"("hex:f")");
  DebeziumOptions hex = placeholder("no");
  hex.binary_handling_mode = DebeziumOptions::BinaryHandling::kHex;
  EXPECT_EQ(unavailable(column_of(type_oid::kBytea), hex), R"("6e6f")");
  DebeziumOptions map = placeholder("no");
  map.hstore_handling_mode = DebeziumOptions::HstoreHandling::kMap;
  EXPECT_EQ(unavailable(column_of(user_type("hstore")), map), R"({"no":"no"})");
}

TEST(DebeziumType, OutlivesItsColumn) {
  auto plan = [] { return ValuePlan(column_of(array_of(domain_over(23))), SerializerOptions()); }();
  ValuePlan moved = std::move(plan);
  EXPECT_EQ(written(moved, "{1,2}"), "[1,2]");
}

}  // namespace
}  // namespace walcat::test
