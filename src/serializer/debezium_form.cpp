#include "debezium_form.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <limits>
#include <utility>

#include "array_values.h"
#include "binary_values.h"
#include "builtin_types.h"
#include "enum_values.h"
#include "geometry_values.h"
#include "hstore_values.h"
#include "numeric_values.h"
#include "quoted_json.h"
#include "temporal_form.h"

namespace walcat {

namespace {

using BinaryHandling = DebeziumOptions::BinaryHandling;
using DecimalHandling = DebeziumOptions::DecimalHandling;
using HstoreHandling = DebeziumOptions::HstoreHandling;

bool write_text(LineWriter& out, std::string_view text) {
  out.string(text);
  return true;
}

DebeziumForm text_form(const DebeziumOptions& options) {
  return scalar_form(write_text, plain_schema("string"), options);
}

DebeziumForm named_text_form(std::string_view name, const DebeziumOptions& options) {
  return scalar_form(write_text, named_schema("string", name), options);
}

// What makes up a numeric's modifier. A scale may be negative since PostgreSQL 15.
constexpr std::int32_t kModifierOffset = 4;

int numeric_precision(std::int32_t modifier) { return (modifier - kModifierOffset) >> 16 & 0xFFFF; }

int numeric_scale(std::int32_t modifier) { return (((modifier - kModifierOffset) & 0x7FF) ^ 1024) - 1024; }

DebeziumForm precise_numeric_form(std::int32_t modifier, const DebeziumOptions& options) {
  if (modifier < kModifierOffset) return scalar_form(variable_decimal_writer(), variable_decimal_schema(), options);
  const int declared_scale = numeric_scale(modifier);
  const int scale = declared_scale < 0 ? 0 : declared_scale;
  // Digits before the point count although a negative scale makes them zeros.
  const int precision = numeric_precision(modifier) + scale - declared_scale;
  return scalar_form(fixed_decimal_writer(static_cast<std::size_t>(scale)), decimal_schema(scale, precision), options);
}

DebeziumForm numeric_form(std::int32_t modifier, const DebeziumOptions& options) {
  switch (options.decimal_handling_mode) {
    case DecimalHandling::kPrecise: return precise_numeric_form(modifier, options);
    case DecimalHandling::kDouble: return scalar_form(write_numeric_double, plain_schema("double"), options);
    case DecimalHandling::kString: break;
  }
  return scalar_form(write_numeric_string, plain_schema("string"), options);
}

DebeziumForm money_form(const DebeziumOptions& options) {
  const int scale = options.money_fraction_digits;
  switch (options.decimal_handling_mode) {
    case DecimalHandling::kPrecise: return scalar_form(money_decimal_writer(scale), decimal_schema(scale, 0), options);
    case DecimalHandling::kDouble: return scalar_form(write_money_double, plain_schema("double"), options);
    case DecimalHandling::kString: break;
  }
  return scalar_form(write_money_string, plain_schema("string"), options);
}

DebeziumForm bytea_form(const DebeziumOptions& options) {
  const BinaryHandling mode = options.binary_handling_mode;
  const auto write = [mode](LineWriter& out, std::string_view text) { return write_bytea(out, text, mode); };
  return {cell_writer(write), plain_schema(mode == BinaryHandling::kBytes ? "bytes" : "string"),
          binary_json(placeholder_bytes(options.unavailable_value_placeholder), mode)};
}

DebeziumForm bits_form(std::int32_t length, const DebeziumOptions& options) {
  if (length == 1) return scalar_form(write_bit, plain_schema("boolean"), options);
  const int most = length < 0 ? std::numeric_limits<std::int32_t>::max() : length;
  return {cell_writer(write_bits), bits_schema(most),
          binary_json(placeholder_bytes(options.unavailable_value_placeholder), BinaryHandling::kBytes)};
}

DebeziumForm hstore_form(const DebeziumOptions& options) {
  const std::string placeholder = quoted_json(placeholder_text(options.unavailable_value_placeholder));
  const std::string object = fmt::format("{{{0}:{0}}}", placeholder);
  if (options.hstore_handling_mode == HstoreHandling::kMap) {
    return {hstore_object_writer(), string_map_schema(), object};
  }
  return {hstore_string_writer(), named_schema("string", "io.debezium.data.Json"), quoted_json(object)};
}

DebeziumForm geometry_form(std::string_view kind, const DebeziumOptions& options) {
  const std::string bytes = placeholder_bytes(options.unavailable_value_placeholder);
  return {cell_writer(write_geometry), geometry_schema(kind),
          fmt::format(R"({{"wkb":{},"srid":null}})", binary_json(bytes, BinaryHandling::kBytes))};
}

DebeziumForm vector_form(std::string_view kind, std::string_view number, const DebeziumOptions& options) {
  DebeziumForm made = scalar_form(write_vector, vector_schema(kind, number), options);
  made.unavailable = "[" + made.unavailable + "]";
  return made;
}

DebeziumForm array_form(const ColumnType& element, char delimiter, const DebeziumOptions& options) {
  DebeziumForm of_element = debezium_form(element, options);
  return {array_writer(std::move(of_element.writer), delimiter), array_schema(of_element.schema),
          "[" + of_element.unavailable + "]"};
}

// The types of extensions, which may live in any schema.
DebeziumForm base_type_form(std::string_view name, const DebeziumOptions& options) {
  if (name == "hstore") return hstore_form(options);
  if (name == "ltree") return named_text_form("io.debezium.data.Ltree", options);
  if (name == "geometry") return geometry_form("Geometry", options);
  if (name == "geography") return geometry_form("Geography", options);
  if (name == "vector") return vector_form("DoubleVector", "double", options);
  if (name == "halfvec") return vector_form("FloatVector", "float", options);
  if (name == "sparsevec") return scalar_form(write_sparse_vector, sparse_vector_schema(), options);
  return text_form(options);
}

ColumnType peeled(ColumnType type) {
  while (type.type != nullptr && type.type->kind == TypeKind::kDomain) {
    type = {type.type->base_oid, type.type->base_modifier, type.type->base.get()};
  }
  return type;
}

DebeziumForm described_form(const ColumnType& column, const DebeziumOptions& options) {
  const Type& type = *column.type;
  if (type.element_oid != 0) {
    return array_form(peeled({type.element_oid, column.modifier, type.element.get()}), type.delimiter, options);
  }
  if (type.kind == TypeKind::kEnum) {
    return scalar_form(enum_writer(type.oid, type.labels), enum_schema(fmt::format("{}", fmt::join(type.labels, ","))),
                       options);
  }
  return type.kind == TypeKind::kBase ? base_type_form(type.name, options) : text_form(options);
}

DebeziumForm builtin_form(std::uint32_t oid, std::int32_t modifier, const DebeziumOptions& options) {
  switch (oid) {
    case type_oid::kBool: return scalar_form(write_boolean, plain_schema("boolean"), options);
    case type_oid::kInt2: return scalar_form(write_integer, plain_schema("int16"), options);
    case type_oid::kInt4: return scalar_form(write_integer, plain_schema("int32"), options);
    case type_oid::kInt8:
    case type_oid::kOid: return scalar_form(write_integer, plain_schema("int64"), options);
    case type_oid::kFloat4: return scalar_form(write_float, plain_schema("float"), options);
    case type_oid::kFloat8: return scalar_form(write_float, plain_schema("double"), options);
    case type_oid::kNumeric: return numeric_form(modifier, options);
    case type_oid::kMoney: return money_form(options);
    case type_oid::kBytea: return bytea_form(options);
    case type_oid::kBit:
    case type_oid::kVarbit: return bits_form(modifier, options);
    case type_oid::kUuid: return named_text_form("io.debezium.data.Uuid", options);
    case type_oid::kJson:
    case type_oid::kJsonb: return named_text_form("io.debezium.data.Json", options);
    case type_oid::kXml: return named_text_form("io.debezium.data.Xml", options);
    case type_oid::kTsvector: return named_text_form("io.debezium.data.Tsvector", options);
    case type_oid::kPoint: return scalar_form(write_point, point_schema(), options);
    default: return text_form(options);
  }
}

}  // namespace

// A domain that was not looked up still has the name of its base type, in the empty schema if that is built in.
ColumnType column_type(const Column& column) {
  if (column.type != nullptr) return peeled({column.type_oid, column.type_modifier, column.type.get()});
  const bool is_named = !column.type_name.empty() && column.type_schema.empty();
  return {is_named ? builtin_type(column.type_name) : column.type_oid, column.type_modifier, nullptr};
}

DebeziumForm scalar_form(std::unique_ptr<const CellWriter> writer, ConnectSchema schema,
                         const DebeziumOptions& options) {
  return {std::move(writer), std::move(schema), quoted_json(placeholder_text(options.unavailable_value_placeholder))};
}

DebeziumForm debezium_form(const ColumnType& type, const DebeziumOptions& options) {
  if (type.type != nullptr) return described_form(type, options);
  if (const BuiltinArray array = builtin_array(type.oid); array.element != 0) {
    return array_form({array.element, type.modifier, nullptr}, array.delimiter, options);
  }
  if (auto temporal = temporal_form(type.oid, type.modifier, options)) return std::move(*temporal);
  return builtin_form(type.oid, type.modifier, options);
}

}  // namespace walcat
