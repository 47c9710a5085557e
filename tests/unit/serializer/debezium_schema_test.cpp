// The Kafka Connect schemas of columns.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"

namespace walcat::test {
namespace {

using Options = DebeziumOptions;

std::string plain(const char* type) { return R"({"type":")" + std::string(type) + R"(","optional":true,"field":"c"})"; }

std::string named(const char* type, const char* name) {
  return R"({"type":")" + std::string(type) + R"(","optional":true,"name":")" + name + R"(","version":1,"field":"c"})";
}

TEST(DebeziumSchema, NamesPlainTypes) {
  const std::pair<std::uint32_t, const char*> kTypes[] = {
      {16, "boolean"}, {21, "int16"},  {23, "int32"}, {20, "int64"},    {26, "int64"},   {700, "float"},
      {701, "double"}, {25, "string"}, {17, "bytes"}, {1700, "string"}, {790, "string"}, {869, "string"}};
  for (const auto& [oid, type] : kTypes) EXPECT_EQ(schema(column_of(oid)), plain(type));
  EXPECT_EQ(schema(column_of(1560, 1)), plain("boolean"));
}

TEST(DebeziumSchema, NamesTypesWithAMeaning) {
  EXPECT_EQ(schema(column_of(type_oid::kUuid)), named("string", "io.debezium.data.Uuid"));
  EXPECT_EQ(schema(column_of(type_oid::kJsonb)), named("string", "io.debezium.data.Json"));
  EXPECT_EQ(schema(column_of(type_oid::kXml)), named("string", "io.debezium.data.Xml"));
  EXPECT_EQ(schema(column_of(type_oid::kTsvector)), named("string", "io.debezium.data.Tsvector"));
  EXPECT_EQ(schema(column_of(user_type("ltree"))), named("string", "io.debezium.data.Ltree"));
  EXPECT_EQ(schema(column_of(type_oid::kTimeTz)), named("string", "io.debezium.time.ZonedTime"));
  EXPECT_EQ(schema(column_of(type_oid::kTimestampTz)), named("string", "io.debezium.time.ZonedTimestamp"));
  EXPECT_EQ(schema(column_of(type_oid::kInterval)), named("int64", "io.debezium.time.MicroDuration"));
}

TEST(DebeziumSchema, FollowsTheTimeMode) {
  const auto of = [](std::uint32_t oid, std::int32_t digits, Options::TimePrecision mode) {
    Options options;
    options.time_precision_mode = mode;
    return schema(column_of(oid, digits), options);
  };
  using Mode = Options::TimePrecision;
  EXPECT_EQ(of(type_oid::kDate, -1, Mode::kAdaptive), named("int32", "io.debezium.time.Date"));
  EXPECT_EQ(of(type_oid::kDate, -1, Mode::kConnect), named("int32", "org.apache.kafka.connect.data.Date"));
  EXPECT_EQ(of(type_oid::kDate, -1, Mode::kIsoString), named("string", "io.debezium.time.IsoDate"));
  EXPECT_EQ(of(type_oid::kTime, 3, Mode::kAdaptive), named("int32", "io.debezium.time.Time"));
  EXPECT_EQ(of(type_oid::kTime, -1, Mode::kAdaptive), named("int64", "io.debezium.time.MicroTime"));
  EXPECT_EQ(of(type_oid::kTime, 3, Mode::kAdaptiveTimeMicroseconds), named("int64", "io.debezium.time.MicroTime"));
  EXPECT_EQ(of(type_oid::kTime, -1, Mode::kNanoseconds), named("int64", "io.debezium.time.NanoTime"));
  EXPECT_EQ(of(type_oid::kTime, -1, Mode::kConnect), named("int32", "org.apache.kafka.connect.data.Time"));
  EXPECT_EQ(of(type_oid::kTime, -1, Mode::kIsoString), named("string", "io.debezium.time.IsoTime"));
  EXPECT_EQ(of(type_oid::kTimestamp, 3, Mode::kAdaptive), named("int64", "io.debezium.time.Timestamp"));
  EXPECT_EQ(of(type_oid::kTimestamp, 4, Mode::kAdaptive), named("int64", "io.debezium.time.MicroTimestamp"));
  EXPECT_EQ(of(type_oid::kTimestamp, -1, Mode::kNanoseconds), named("int64", "io.debezium.time.NanoTimestamp"));
  EXPECT_EQ(of(type_oid::kTimestamp, -1, Mode::kConnect), named("int64", "org.apache.kafka.connect.data.Timestamp"));
  EXPECT_EQ(of(type_oid::kTimestamp, -1, Mode::kIsoString), named("string", "io.debezium.time.IsoTimestamp"));
}

TEST(DebeziumSchema, DescribesDecimals) {
  Options options;
  options.decimal_handling_mode = Options::DecimalHandling::kPrecise;
  EXPECT_EQ(schema(column_of(type_oid::kNumeric, numeric_modifier(10, 2)), options),
            R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
            R"("parameters":{"scale":"2","connect.decimal.precision":"10"},"field":"c"})");
  EXPECT_EQ(
      schema(column_of(type_oid::kNumeric), options, false),
      R"({"type":"struct","fields":[{"type":"int32","optional":false,"field":"scale"},)"
      R"({"type":"bytes","optional":false,"field":"value"}],"optional":false,)"
      R"("name":"io.debezium.data.VariableScaleDecimal","version":1,"doc":"Variable scaled decimal","field":"c"})");
  EXPECT_EQ(schema(column_of(type_oid::kMoney), options),
            R"({"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,)"
            R"("parameters":{"scale":"2"},"field":"c"})");
  options.decimal_handling_mode = Options::DecimalHandling::kDouble;
  EXPECT_EQ(schema(column_of(type_oid::kNumeric), options), plain("double"));
  EXPECT_EQ(schema(column_of(type_oid::kMoney), options), plain("double"));
}

TEST(DebeziumSchema, FollowsTheOtherModes) {
  Options options;
  options.binary_handling_mode = Options::BinaryHandling::kHex;
  options.interval_handling_mode = Options::IntervalHandling::kString;
  options.hstore_handling_mode = Options::HstoreHandling::kMap;
  EXPECT_EQ(schema(column_of(type_oid::kBytea), options), plain("string"));
  EXPECT_EQ(schema(column_of(type_oid::kInterval), options), named("string", "io.debezium.time.Interval"));
  EXPECT_EQ(schema(column_of(user_type("hstore")), options),
            R"({"type":"map","keys":{"type":"string","optional":false},"values":{"type":"string","optional":true},)"
            R"("optional":true,"field":"c"})");
  EXPECT_EQ(schema(column_of(user_type("hstore"))), named("string", "io.debezium.data.Json"));
}

TEST(DebeziumSchema, DescribesBitsAndEnums) {
  EXPECT_EQ(schema(column_of(type_oid::kBit, 8)),
            R"({"type":"bytes","optional":true,"name":"io.debezium.data.Bits","version":1,)"
            R"("parameters":{"length":"8"},"field":"c"})");
  EXPECT_NE(schema(column_of(type_oid::kVarbit)).find(R"("length":"2147483647")"), std::string::npos);
  Type mood = user_type("mood", TypeKind::kEnum);
  mood.labels = {"good", "so \"so\""};
  EXPECT_EQ(schema(column_of(mood)), R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,)"
                                     R"("parameters":{"allowed":"good,so \"so\""},"field":"c"})");
}

TEST(DebeziumSchema, DescribesGeometriesAndVectors) {
  EXPECT_EQ(schema(column_of(type_oid::kPoint)),
            R"({"type":"struct","fields":[{"type":"double","optional":false,"field":"x"},)"
            R"({"type":"double","optional":false,"field":"y"},{"type":"bytes","optional":true,"field":"wkb"},)"
            R"({"type":"int32","optional":true,"field":"srid"}],"optional":true,)"
            R"j("name":"io.debezium.data.geometry.Point","version":1,"doc":"Geometry (POINT)","field":"c"})j");
  EXPECT_EQ(schema(column_of(user_type("geography"))),
            R"({"type":"struct","fields":[{"type":"bytes","optional":false,"field":"wkb"},)"
            R"({"type":"int32","optional":true,"field":"srid"}],"optional":true,)"
            R"("name":"io.debezium.data.geometry.Geography","version":1,"doc":"Geography","field":"c"})");
  EXPECT_EQ(schema(column_of(user_type("halfvec"))),
            R"({"type":"array","items":{"type":"float","optional":false},"optional":true,)"
            R"("name":"io.debezium.data.FloatVector","version":1,"field":"c"})");
  EXPECT_EQ(schema(column_of(user_type("sparsevec"))),
            R"({"type":"struct","fields":[{"type":"int16","optional":false,"field":"dimensions"},)"
            R"({"type":"map","keys":{"type":"int16","optional":false},"values":{"type":"double","optional":false},)"
            R"("optional":false,"field":"vector"}],"optional":true,)"
            R"("name":"io.debezium.data.SparseDoubleVector","version":1,"doc":"Sparse double vector","field":"c"})");
}

TEST(DebeziumSchema, DescribesArraysByTheirElement) {
  EXPECT_EQ(schema(column_of(1007)),
            R"({"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"c"})");
  EXPECT_EQ(schema(column_of(2951)),
            R"({"type":"array","items":{"type":"string","optional":true,"name":"io.debezium.data.Uuid","version":1},)"
            R"("optional":true,"field":"c"})");
}

TEST(DebeziumSchema, EscapesTheFieldsName) {
  EXPECT_EQ(ValuePlan(column_of(25), {}).schema("a\"b", false), R"({"type":"string","optional":false,"field":"a\"b"})");
}

}  // namespace
}  // namespace walcat::test
