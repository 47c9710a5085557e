#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// A Kafka Connect schema as Debezium's JSON converter prints it, but for whether it is optional and whose field it is.
struct ConnectSchema {
  /// What stands before `"optional"`: `"type":"int64"`, and what the type is made of.
  std::string head;
  /// What stands behind it, each part with its comma: name, version, doc and parameters.
  std::string tail;

  /// The schema as one object.
  std::string json(bool optional) const;
  /// The same as a field of a struct.
  std::string json(bool optional, std::string_view field) const;
};

/// `"type":"string"`
ConnectSchema plain_schema(std::string_view type);
/// A type with a meaning: `"name":"io.debezium.time.Date","version":1`.
ConnectSchema named_schema(std::string_view type, std::string_view name);
ConnectSchema array_schema(const ConnectSchema& element);

/// Kafka Connect's Decimal. `precision` is left out if it is zero.
ConnectSchema decimal_schema(int scale, int precision);
ConnectSchema variable_decimal_schema();
ConnectSchema bits_schema(int length);
ConnectSchema enum_schema(const std::string& labels);
ConnectSchema string_map_schema();
ConnectSchema point_schema();
/// `kind` is Geometry or Geography.
ConnectSchema geometry_schema(std::string_view kind);
/// `kind` is DoubleVector or FloatVector, `type` that of its numbers.
ConnectSchema vector_schema(std::string_view kind, std::string_view type);
ConnectSchema sparse_vector_schema();

}  // namespace walcat
