#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serializer/value_plan.h"
#include "walcat/model/byte_buffer.h"

// The small language of Debezium's values: a type and a text in, JSON out.
namespace walcat::test {

/// numeric(p,s)'s modifier.
constexpr std::int32_t numeric_modifier(int precision, int scale) { return (precision << 16 | (scale & 0x7FF)) + 4; }

inline Column column_of(std::uint32_t oid, std::int32_t modifier = -1) {
  Column column;
  column.name = "c";
  column.type_oid = oid;
  column.type_modifier = modifier;
  return column;
}

/// A column of a type that the catalog described.
inline Column column_of(const Type& type, std::int32_t modifier = -1) {
  Column column = column_of(type.oid, modifier);
  column.type_name = type.name;
  column.type_schema = type.schema;
  column.type = std::make_shared<const Type>(type);
  return column;
}

inline Type user_type(std::string name, TypeKind kind = TypeKind::kBase) {
  Type type;
  type.oid = 20'000;
  type.schema = "public";
  type.name = std::move(name);
  type.kind = kind;
  return type;
}

inline Type domain_over(std::uint32_t base, std::int32_t modifier = -1, const Type* described = nullptr) {
  Type type = user_type("d", TypeKind::kDomain);
  type.oid = 20'001;
  type.base_oid = base;
  type.base_modifier = modifier;
  if (described != nullptr) type.base = std::make_shared<const Type>(*described);
  return type;
}

inline Type array_of(const Type& element, char delimiter = ',') {
  Type type = user_type("_" + element.name);
  type.oid = 20'002;
  type.element_oid = element.oid;
  type.element = std::make_shared<const Type>(element);
  type.delimiter = delimiter;
  return type;
}

inline SerializerOptions with(DebeziumOptions debezium) {
  SerializerOptions options;
  options.debezium = debezium;
  return options;
}

/// What a plan writes. The text has no byte more behind it than a frame has.
inline std::string written(const ValuePlan& plan, std::string_view text) {
  ByteBuffer padded(text.size());
  padded.append(text);
  ByteBuffer json(16);
  LineWriter out(json);
  plan.write(out, padded.data(), padded.size());
  out.close();
  return std::string(json.view());
}

/// How many values of the text are written as text because their form has no place for them.
inline std::uint64_t texts_instead(const Column& column, std::string_view text, DebeziumOptions options = {}) {
  ByteBuffer padded(text.size());
  padded.append(text);
  ByteBuffer json(16);
  LineWriter out(json);
  ValuePlan(column, with(options)).write(out, padded.data(), padded.size());
  return out.texts_instead();
}

inline std::string value(const Column& column, std::string_view text, DebeziumOptions options = {}) {
  return written(ValuePlan(column, with(options)), text);
}
inline std::string value(std::uint32_t oid, std::string_view text, DebeziumOptions options = {}) {
  return value(column_of(oid), text, options);
}

inline std::string unavailable(const Column& column, DebeziumOptions options = {}) {
  ByteBuffer json(16);
  LineWriter out(json);
  ValuePlan(column, with(options)).write_unavailable(out);
  out.close();
  return std::string(json.view());
}

inline std::string schema(const Column& column, DebeziumOptions options = {}, bool optional = true) {
  return ValuePlan(column, with(options)).schema("c", optional);
}

}  // namespace walcat::test
