#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "cell_writer.h"
#include "connect_schema.h"
#include "walcat/model/relation.h"
#include "walcat/model/type.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// All that Debezium's mapping says of a type's values.
struct DebeziumForm {
  std::unique_ptr<const CellWriter> writer;
  ConnectSchema schema;
  /// The JSON of an unchanged TOAST value that was not sent.
  std::string unavailable;
};

/// A type as a column or an element has it, domains peeled off.
struct ColumnType {
  std::uint32_t oid = 0;
  /// pg_attribute.atttypmod, or the domain's.
  std::int32_t modifier = -1;
  /// Null if the type is built in or unknown.
  const Type* type = nullptr;
};

ColumnType column_type(const Column& column);

DebeziumForm debezium_form(const ColumnType& type, const DebeziumOptions& options);

/// A form whose unchanged TOAST value is the placeholder as a string.
DebeziumForm scalar_form(std::unique_ptr<const CellWriter> writer, ConnectSchema schema,
                         const DebeziumOptions& options);
template <typename Function>
DebeziumForm scalar_form(Function function, ConnectSchema schema, const DebeziumOptions& options) {
  return scalar_form(cell_writer(function), std::move(schema), options);
}

}  // namespace walcat
