// Debezium's bytes: bytea in each mode, bit strings, points and PostGIS's geometries.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

using Binary = DebeziumOptions::BinaryHandling;

std::string bytea(std::string_view text, Binary mode) {
  DebeziumOptions options;
  options.binary_handling_mode = mode;
  return value(column_of(type_oid::kBytea), text, options);
}

TEST(DebeziumBinary, PrintsByteaAsTheModeSays) {
  for (const Binary mode : {Binary::kBytes, Binary::kBase64}) {
    EXPECT_EQ(bytea(R"(\xfbff00)", mode), R"("+/8A")");
    EXPECT_EQ(bytea(R"(\x01)", mode), R"("AQ==")");
    EXPECT_EQ(bytea(R"(\x0102)", mode), R"("AQI=")");
  }
  EXPECT_EQ(bytea(R"(\xfbff00)", Binary::kBase64UrlSafe), R"("-_8A")");
  EXPECT_EQ(bytea(R"(\xfb)", Binary::kBase64UrlSafe), R"("-w==")");
  EXPECT_EQ(bytea(R"(\xfbff00)", Binary::kHex), R"("fbff00")");
  for (const Binary mode : {Binary::kBytes, Binary::kBase64UrlSafe, Binary::kHex}) {
    EXPECT_EQ(bytea(R"(\x)", mode), R"("")");
  }
}

TEST(DebeziumBinary, EncodesByteaOfAnyLength) {
  for (std::size_t size = 0; size < 200; ++size) {
    std::string text = "\\x";
    for (std::size_t i = 0; i < size; ++i) text += "41";
    std::string json = "\"";
    for (std::size_t i = 0; i + 3 <= size; i += 3) json += "QUFB";
    if (size % 3 == 1) json += "QQ==";
    if (size % 3 == 2) json += "QUE=";
    EXPECT_EQ(bytea(text, Binary::kBytes), json + "\"");
  }
}

TEST(DebeziumBinary, PrintsWhatIsNotHexAsItsText) {
  EXPECT_EQ(bytea("abc", Binary::kBytes), R"("abc")");
  EXPECT_EQ(bytea(R"(\x123)", Binary::kBytes), R"("\\x123")");
  EXPECT_EQ(bytea(R"(\x1g)", Binary::kHex), R"("\\x1g")");
}

TEST(DebeziumBinary, PrintsOneBitAsBoolean) {
  for (const std::uint32_t oid : {type_oid::kBit, type_oid::kVarbit}) {
    EXPECT_EQ(value(column_of(oid, 1), "1"), "true");
    EXPECT_EQ(value(column_of(oid, 1), "0"), "false");
  }
}

TEST(DebeziumBinary, PrintsBitsFromTheLowestByteUp) {
  const auto bits = [](std::string_view text) { return value(column_of(type_oid::kVarbit), text); };
  EXPECT_EQ(value(column_of(type_oid::kBit, 8), "10000001"), R"("gQ==")");
  EXPECT_EQ(bits("0000"), R"("")");
  EXPECT_EQ(bits(""), R"("")");
  EXPECT_EQ(bits("1"), R"("AQ==")");
  EXPECT_EQ(bits("100000001"), R"("AQE=")");
  EXPECT_EQ(bits("00000000000000001"), R"("AQ==")");
  EXPECT_EQ(bits("1" + std::string(16, '0')), R"("AAAB")");
  EXPECT_EQ(bits("1" + std::string(48 * 8, '0')), "\"" + std::string(64, 'A') + "AQ==\"");
  EXPECT_EQ(bits("102"), R"("102")");
}

TEST(DebeziumBinary, PrintsAPointWithItsWellKnownBinary) {
  EXPECT_EQ(value(type_oid::kPoint, "(1.5,-2)"),
            R"({"x":1.5,"y":-2.0,"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null})");
  EXPECT_EQ(value(type_oid::kPoint, "(NaN,-Infinity)"),
            R"({"x":"NaN","y":"-Infinity","wkb":"AQEAAAAAAAAAAAD4fwAAAAAAAPD/","srid":null})");
  for (const char* text : {"", "(", "()", "(1)", "(1,)", "(1,2", "1,2", "(1,2,3)", "(a,b)", "(nan,1)", "(1e,2)"}) {
    EXPECT_EQ(value(type_oid::kPoint, text), '"' + std::string(text) + '"');
  }
}

TEST(DebeziumBinary, PrintsGeometryWithItsReferenceSystem) {
  const auto geometry = [](std::string_view text) { return value(column_of(user_type("geometry")), text); };
  EXPECT_EQ(geometry("0101000000000000000000F83F00000000000000C0"),
            R"({"wkb":"AQEAAAAAAAAAAAD4PwAAAAAAAADA","srid":null})");
  EXPECT_EQ(geometry("0101000020E6100000000000000000F83F00000000000000C0"),
            R"({"wkb":"AQEAACDmEAAAAAAAAAAA+D8AAAAAAAAAwA==","srid":4326})");
  EXPECT_EQ(geometry("0020000001000010E63FF8000000000000C000000000000000"),
            R"({"wkb":"ACAAAAEAABDmP/gAAAAAAADAAAAAAAAAAA==","srid":4326})");
  EXPECT_EQ(value(column_of(user_type("geography")), "0101000020E6100000"), R"({"wkb":"AQEAACDmEAAA","srid":4326})");
  for (const char* text : {"", "01", "0101000020E610", "xx01000000000000"}) {
    EXPECT_EQ(geometry(text), '"' + std::string(text) + '"');
  }
}

}  // namespace
}  // namespace walcat::test
