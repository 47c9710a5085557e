// Debezium's numbers: integers, floats, numeric in three modes, money.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

using Decimal = DebeziumOptions::DecimalHandling;

DebeziumOptions decimal(Decimal mode, int money_digits = 2) {
  DebeziumOptions options;
  options.decimal_handling_mode = mode;
  options.money_fraction_digits = money_digits;
  return options;
}

std::string numeric(std::string_view text, Decimal mode, std::int32_t modifier = -1) {
  return value(column_of(type_oid::kNumeric, modifier), text, decimal(mode));
}

std::string precise(std::string_view text, int precision, int scale) {
  return numeric(text, Decimal::kPrecise, numeric_modifier(precision, scale));
}

std::string money(std::string_view text, Decimal mode, int digits = 2) {
  return value(column_of(type_oid::kMoney), text, decimal(mode, digits));
}

TEST(DebeziumNumber, CopiesIntegers) {
  for (const std::uint32_t oid : {type_oid::kInt2, type_oid::kInt4, type_oid::kInt8, type_oid::kOid}) {
    for (const char* text : {"0", "7", "-1", "4294967295", "9223372036854775807", "-9223372036854775808"}) {
      EXPECT_EQ(value(oid, text), text);
    }
  }
}

TEST(DebeziumNumber, PrintsBooleans) {
  EXPECT_EQ(value(type_oid::kBool, "t"), "true");
  EXPECT_EQ(value(type_oid::kBool, "f"), "false");
}

TEST(DebeziumNumber, GivesFloatsAFractionOrAnExponent) {
  const std::pair<const char*, const char*> kCases[] = {{"3", "3.0"},
                                                        {"-0", "-0.0"},
                                                        {"0", "0.0"},
                                                        {"0.1", "0.1"},
                                                        {"1e+20", "1e+20"},
                                                        {"1e-05", "1e-05"},
                                                        {"-1.5e-300", "-1.5e-300"},
                                                        {"123456789012345", "123456789012345.0"},
                                                        {"NaN", "\"NaN\""},
                                                        {"Infinity", "\"Infinity\""},
                                                        {"-Infinity", "\"-Infinity\""}};
  for (const auto& [text, json] : kCases) {
    EXPECT_EQ(value(type_oid::kFloat4, text), json);
    EXPECT_EQ(value(type_oid::kFloat8, text), json);
  }
}

TEST(DebeziumNumber, PrintsNumericAsStringOfItsDigits) {
  EXPECT_EQ(numeric("1234.50", Decimal::kString, numeric_modifier(10, 2)), R"("1234.50")");
  EXPECT_EQ(numeric("10.5000", Decimal::kString), R"("10.5000")");
  EXPECT_EQ(numeric("NaN", Decimal::kString), R"("NAN")");
  EXPECT_EQ(numeric("Infinity", Decimal::kString), R"("POSITIVE_INFINITY")");
  EXPECT_EQ(numeric("-Infinity", Decimal::kString), R"("NEGATIVE_INFINITY")");
}

TEST(DebeziumNumber, PrintsNumericAsTheNearestDouble) {
  EXPECT_EQ(numeric("1234.50", Decimal::kDouble), "1234.5");
  EXPECT_EQ(numeric("-7", Decimal::kDouble), "-7.0");
  EXPECT_EQ(numeric("0", Decimal::kDouble), "0.0");
  EXPECT_EQ(numeric("0.1000000000000000055511151231257827", Decimal::kDouble), "0.1");
  EXPECT_EQ(numeric("100000000000000000000", Decimal::kDouble), "1e+20");
  EXPECT_EQ(numeric("NaN", Decimal::kDouble), R"("NaN")");
  EXPECT_EQ(numeric("-Infinity", Decimal::kDouble), R"("-Infinity")");
}

TEST(DebeziumNumber, PrintsNumericBeyondDoublesAsTextOrZero) {
  const std::string large = "1" + std::string(400, '0');
  EXPECT_EQ(numeric(large, Decimal::kDouble), '"' + large + '"');
  EXPECT_EQ(numeric("-" + large, Decimal::kDouble), "\"-" + large + '"');
  DebeziumOptions options;
  options.decimal_handling_mode = Decimal::kDouble;
  EXPECT_EQ(texts_instead(column_of(type_oid::kNumeric), large, options), 1U);
  EXPECT_EQ(texts_instead(column_of(type_oid::kNumeric), "-Infinity", options), 0U);
  EXPECT_EQ(numeric("0." + std::string(400, '0') + "1", Decimal::kDouble), "0.0");
}

TEST(DebeziumNumber, EncodesTheUnscaledValueAtTheColumnsScale) {
  EXPECT_EQ(precise("1234.50", 10, 2), R"("AeI6")");
  EXPECT_EQ(precise("0.00", 10, 2), R"("AA==")");
  EXPECT_EQ(precise("1.27", 10, 2), R"("fw==")");   // 127: 7F
  EXPECT_EQ(precise("1.28", 10, 2), R"("AIA=")");   // 128: 00 80
  EXPECT_EQ(precise("-1.28", 10, 2), R"("gA==")");  // 80
  EXPECT_EQ(precise("-1.29", 10, 2), R"("/38=")");  // FF 7F
  EXPECT_EQ(precise("-0.01", 10, 2), R"("/w==")");
  EXPECT_EQ(precise("0.00123", 3, 5), R"("ew==")");
}

TEST(DebeziumNumber, EncodesNumbersOfAnyLength) {
  // 2^64 - 1, 2^64, -2^63, -2^64 and 10^38.
  EXPECT_EQ(precise("18446744073709551615", 38, 0), R"("AP//////////")");
  EXPECT_EQ(precise("18446744073709551616", 38, 0), R"("AQAAAAAAAAAA")");
  EXPECT_EQ(precise("-9223372036854775808", 38, 0), R"("gAAAAAAAAAA=")");
  EXPECT_EQ(precise("-18446744073709551616", 38, 0), R"("/wAAAAAAAAAA")");
  EXPECT_EQ(precise("1" + std::string(38, '0'), 40, 0), R"("SztMqFqGxHoJiiJAAAAAAA==")");
  EXPECT_EQ(precise("-1" + std::string(38, '0'), 40, 0), R"("tMSzV6V5O4X2dd3AAAAAAA==")");
  EXPECT_GT(precise(std::string(1000, '9') + "." + std::string(1000, '9'), 2000, 1000).size(), 1100U);
}

TEST(DebeziumNumber, EncodesANegativeScaleAtScaleZero) {
  EXPECT_EQ(precise("12300", 5, -2), R"("MAw=")");
  EXPECT_NE(schema(column_of(type_oid::kNumeric, numeric_modifier(5, -2)), decimal(Decimal::kPrecise))
                .find(R"("parameters":{"scale":"0","connect.decimal.precision":"7"})"),
            std::string::npos);
}

TEST(DebeziumNumber, EncodesNumericWithoutScaleWithItsOwn) {
  EXPECT_EQ(numeric("10.5000", Decimal::kPrecise), R"({"scale":1,"value":"aQ=="})");
  EXPECT_EQ(numeric("1" + std::string(30, '0'), Decimal::kPrecise), R"({"scale":0,"value":"DJ8snNBGdO3qQAAAAA=="})");
  EXPECT_EQ(numeric("0.000", Decimal::kPrecise), R"({"scale":0,"value":"AA=="})");
  EXPECT_EQ(numeric("-0.5", Decimal::kPrecise), R"({"scale":1,"value":"+w=="})");
}

TEST(DebeziumNumber, PrintsWhatIsNoNumberAsItsTextWhenPrecise) {
  for (const char* text : {"NaN", "Infinity", "-Infinity"}) {
    const std::string json = '"' + std::string(text) + '"';
    EXPECT_EQ(precise(text, 10, 2), json);
    EXPECT_EQ(numeric(text, Decimal::kPrecise), json);
  }
}

TEST(DebeziumNumber, ReadsMoneyOfTheCLocale) {
  EXPECT_EQ(money("-$1,234.11", Decimal::kString), R"("-1234.11")");
  EXPECT_EQ(money("$0.05", Decimal::kString), R"("0.05")");
  EXPECT_EQ(money("-$92,233,720,368,547,758.08", Decimal::kString), R"("-92233720368547758.08")");
  EXPECT_EQ(money("-$1,234.11", Decimal::kDouble), "-1234.11");
  EXPECT_EQ(money("$1,000.00", Decimal::kDouble), "1000.0");
  EXPECT_EQ(money("$1,234.50", Decimal::kPrecise), R"("AeI6")");
  EXPECT_EQ(money("1.234,50 EUR", Decimal::kPrecise), R"("1.234,50 EUR")");
}

TEST(DebeziumNumber, RoundsMoneyHalfUp) {
  EXPECT_EQ(money("$1.27", Decimal::kPrecise, 1), R"("DQ==")");   // 13
  EXPECT_EQ(money("$1.25", Decimal::kPrecise, 1), R"("DQ==")");   // 13
  EXPECT_EQ(money("-$1.25", Decimal::kPrecise, 1), R"("8w==")");  // -13
  EXPECT_EQ(money("$1.24", Decimal::kPrecise, 1), R"("DA==")");   // 12
  EXPECT_EQ(money("$1.49", Decimal::kPrecise, 0), R"("AQ==")");
  EXPECT_EQ(money("$1.50", Decimal::kPrecise, 0), R"("Ag==")");
  EXPECT_EQ(money("$1.50", Decimal::kPrecise, 4), R"("Opg=")");  // 15000
  EXPECT_EQ(money("$92,233,720,368,547,758.07", Decimal::kPrecise, 18), R"("EcN5N+B////ceQ2QPwAA")");
}

}  // namespace
}  // namespace walcat::test
