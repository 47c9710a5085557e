#include "connect_schema.h"

#include <fmt/format.h>

#include "quoted_json.h"

namespace walcat {

namespace {

ConnectSchema documented(ConnectSchema schema, std::string_view doc) {
  schema.tail += fmt::format(R"(,"doc":"{}")", doc);
  return schema;
}

ConnectSchema struct_schema(std::string_view fields, std::string_view name) {
  ConnectSchema schema = named_schema("struct", name);
  schema.head += fmt::format(R"(,"fields":[{}])", fields);
  return schema;
}

}  // namespace

std::string ConnectSchema::json(bool optional) const {
  return fmt::format(R"({{{},"optional":{}{}}})", head, optional, tail);
}

std::string ConnectSchema::json(bool optional, std::string_view field) const {
  return fmt::format(R"({{{},"optional":{}{},"field":{}}})", head, optional, tail, quoted_json(field));
}

ConnectSchema plain_schema(std::string_view type) { return {fmt::format(R"("type":"{}")", type), ""}; }

ConnectSchema named_schema(std::string_view type, std::string_view name) {
  return {fmt::format(R"("type":"{}")", type), fmt::format(R"(,"name":"{}","version":1)", name)};
}

ConnectSchema array_schema(const ConnectSchema& element) {
  return {fmt::format(R"("type":"array","items":{})", element.json(true)), ""};
}

ConnectSchema decimal_schema(int scale, int precision) {
  ConnectSchema schema = named_schema("bytes", "org.apache.kafka.connect.data.Decimal");
  const std::string digits = precision == 0 ? "" : fmt::format(R"(,"connect.decimal.precision":"{}")", precision);
  schema.tail += fmt::format(R"(,"parameters":{{"scale":"{}"{}}})", scale, digits);
  return schema;
}

ConnectSchema variable_decimal_schema() {
  const std::string fields =
      plain_schema("int32").json(false, "scale") + "," + plain_schema("bytes").json(false, "value");
  return documented(struct_schema(fields, "io.debezium.data.VariableScaleDecimal"), "Variable scaled decimal");
}

ConnectSchema bits_schema(int length) {
  ConnectSchema schema = named_schema("bytes", "io.debezium.data.Bits");
  schema.tail += fmt::format(R"(,"parameters":{{"length":"{}"}})", length);
  return schema;
}

ConnectSchema enum_schema(const std::string& labels) {
  ConnectSchema schema = named_schema("string", "io.debezium.data.Enum");
  schema.tail += fmt::format(R"(,"parameters":{{"allowed":{}}})", quoted_json(labels));
  return schema;
}

ConnectSchema string_map_schema() {
  const ConnectSchema text = plain_schema("string");
  return {fmt::format(R"("type":"map","keys":{},"values":{})", text.json(false), text.json(true)), ""};
}

ConnectSchema point_schema() {
  const std::string fields = plain_schema("double").json(false, "x") + "," + plain_schema("double").json(false, "y") +
                             "," + plain_schema("bytes").json(true, "wkb") + "," +
                             plain_schema("int32").json(true, "srid");
  return documented(struct_schema(fields, "io.debezium.data.geometry.Point"), "Geometry (POINT)");
}

ConnectSchema geometry_schema(std::string_view kind) {
  const std::string fields = plain_schema("bytes").json(false, "wkb") + "," + plain_schema("int32").json(true, "srid");
  return documented(struct_schema(fields, fmt::format("io.debezium.data.geometry.{}", kind)), kind);
}

ConnectSchema vector_schema(std::string_view kind, std::string_view type) {
  ConnectSchema schema = named_schema("array", fmt::format("io.debezium.data.{}", kind));
  schema.head += fmt::format(R"(,"items":{})", plain_schema(type).json(false));
  return schema;
}

ConnectSchema sparse_vector_schema() {
  const ConnectSchema numbers{fmt::format(R"("type":"map","keys":{},"values":{})", plain_schema("int16").json(false),
                                          plain_schema("double").json(false)),
                              ""};
  const std::string fields = plain_schema("int16").json(false, "dimensions") + "," + numbers.json(false, "vector");
  return documented(struct_schema(fields, "io.debezium.data.SparseDoubleVector"), "Sparse double vector");
}

}  // namespace walcat
