// Values: what is a JSON number, what a boolean, and what a string.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "serializer/lines.h"

namespace walcat::test {
namespace {

// `"after"` of a row with one column of type `oid`.
std::string line_of(std::uint32_t oid, const Value& value, Values values = Values::kNative) {
  SerializerOptions options;
  options.values = values;
  return printed({at(0, begin(1000)), at(0, relation({kPlain, "public", "t", 'd', {{"c", oid}}})),
                  at(910, insert(kPlain, {value}))},
                 options)
      .at(0);
}

std::string one(std::uint32_t oid, const Value& value, Values values = Values::kNative) {
  const std::string row = after(line_of(oid, value, values));
  return row.substr(5, row.size() - 6);  // {"c":..}
}

TEST(SerializerValue, CopiesNumbersDigitByDigit) {
  for (const char* digits : {"0", "-0", "1", "-1", "9223372036854775807", "-9223372036854775808", "1.10", "-0.000",
                             "0.1000000000000000055511151231257827", "1e+20", "1.5e-300", "-1.7976931348623157e+308",
                             "123456789012345678901234567890123456789012345678901234567890.123456789"}) {
    for (const std::uint32_t oid : {20U, 21U, kInt4, 26U, 700U, kFloat8, kNumeric}) EXPECT_EQ(one(oid, digits), digits);
  }
}

TEST(SerializerValue, QuotesNotANumberAndInfinities) {
  for (const std::uint32_t oid : {700U, kFloat8, kNumeric}) {
    EXPECT_EQ(one(oid, "NaN"), "\"NaN\"");
    EXPECT_EQ(one(oid, "Infinity"), "\"Infinity\"");
    EXPECT_EQ(one(oid, "-Infinity"), "\"-Infinity\"");
  }
}

TEST(SerializerValue, PrintsBooleansAsJsonsOwn) {
  EXPECT_EQ(one(kBool, "t"), "true");
  EXPECT_EQ(one(kBool, "f"), "false");
  EXPECT_EQ(one(kBool, kNullValue), "null");
}

TEST(SerializerValue, PrintsAllOtherTypesAsStrings) {
  constexpr std::uint32_t kBytea = 17;
  constexpr std::uint32_t kInt4Array = 1007;
  constexpr std::uint32_t kMoney = 790;
  constexpr std::uint32_t kTimestamp = 1114;
  constexpr std::uint32_t kJsonb = 3802;
  EXPECT_EQ(one(kText, "1"), "\"1\"");
  EXPECT_EQ(one(kText, "t"), "\"t\"");
  EXPECT_EQ(one(kText, ""), "\"\"");
  EXPECT_EQ(one(kBytea, "\\x00ff"), R"("\\x00ff")");
  EXPECT_EQ(one(kInt4Array, "{1,2}"), R"("{1,2}")");
  EXPECT_EQ(one(kMoney, "1.00"), R"("1.00")");
  EXPECT_EQ(one(kTimestamp, "2026-01-31 12:00:00"), R"("2026-01-31 12:00:00")");
  EXPECT_EQ(one(kJsonb, R"({"a": 1})"), R"("{\"a\": 1}")");
}

TEST(SerializerValue, KeepsNullApartFromTheWord) {
  EXPECT_EQ(one(kText, kNullValue), "null");
  EXPECT_EQ(one(kText, "null"), "\"null\"");
  EXPECT_EQ(one(kInt4, kNullValue), "null");
}

TEST(SerializerValue, PrintsEveryValueAsItsTextWhenAsked) {
  EXPECT_EQ(one(kInt4, "1", Values::kText), "\"1\"");
  EXPECT_EQ(one(kBool, "t", Values::kText), "\"t\"");
  EXPECT_EQ(one(kFloat8, "NaN", Values::kText), "\"NaN\"");
  EXPECT_EQ(one(kInt4, kNullValue, Values::kText), "null");
  EXPECT_EQ(one(kInt4, kUnchangedValue, Values::kText), "\"__debezium_unavailable_value\"");
}

TEST(SerializerValue, PrintsADomainLikeItsBaseType) {
  const auto domain = [](std::string_view schema, std::string_view base, const char* value) {
    const std::string row =
        after(printed({at(0, begin(1000)), at(0, type(20000, schema, base)),
                       at(0, relation({kPlain, "public", "t", 'd', {{"c", 20000}}})), at(910, insert(kPlain, {value}))})
                  .at(0));
    return row.substr(5, row.size() - 6);
  };
  for (const char* base : {"int2", "int4", "int8", "oid", "float4", "float8", "numeric"}) {
    EXPECT_EQ(domain("", base, "12"), "12") << base;
  }
  EXPECT_EQ(domain("", "bool", "t"), "true");
  EXPECT_EQ(domain("", "text", "12"), "\"12\"");
  EXPECT_EQ(domain("", "varchar", "12"), "\"12\"");
  EXPECT_EQ(domain("public", "int4", "12"), "\"12\"") << "a type of somebody's own that is only called int4";
  EXPECT_EQ(domain("public", "mood", "glad"), "\"glad\"");
}

// A server that sends something else for a number is broken, or hostile; its line must not break others.
TEST(SerializerValue, PrintsOneLineOfJsonEvenIfANumberIsNone) {
  for (const char* text : {"", "-", "1\n{}", "1,\"x\":2", "12abc", "0x10", "1.2.3", "--1", "1}"}) {
    const std::string line = line_of(kInt4, text);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << line;
    simdjson::dom::parser parser;
    simdjson::dom::element parsed;
    EXPECT_EQ(parser.parse(line).get(parsed), simdjson::SUCCESS) << line;
  }
}

}  // namespace
}  // namespace walcat::test
