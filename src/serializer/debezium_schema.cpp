#include "debezium_schema.h"

#include <fmt/format.h>

#include <vector>

#include "quoted_json.h"

namespace walcat {

namespace {

std::string field(std::string_view type, bool optional, std::string_view name) {
  return fmt::format(R"({{"type":"{}","optional":{},"field":"{}"}})", type, optional, name);
}

// `tail` is what follows: a name, a version, the field's name.
std::string structure(const std::vector<std::string>& fields, bool optional, const std::string& tail) {
  return fmt::format(R"({{"type":"struct","fields":[{}],"optional":{}{}}})", fmt::join(fields, ","), optional, tail);
}

std::string named(const std::string& name) { return fmt::format(R"(,"name":{})", quoted_json(name)); }

std::string source_schema(const SerializerOptions& options) {
  std::vector<std::string> fields{
      field("string", false, "version"),
      field("string", false, "connector"),
      field("string", false, "name"),
      field("int64", false, "ts_ms"),
      R"({"type":"string","optional":true,"name":"io.debezium.data.Enum","version":1,"parameters":{"allowed":)"
      R"("true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},"default":"false",)"
      R"("field":"snapshot"})",
      field("string", false, "db"),
      field("string", true, "sequence"),
      field("int64", true, "ts_us"),
      field("int64", true, "ts_ns"),
      field("string", false, "schema"),
      field("string", false, "table"),
      field("int64", true, "txId"),
      field("int64", true, "lsn"),
      field("int64", true, "xmin"),
      field("string", true, "origin"),
      field("int64", true, "origin_lsn")};
  if (options.position) {
    fields.push_back(field("int64", false, "commit_lsn"));
    fields.push_back(field("int64", false, "index"));
  }
  return structure(fields, false, R"(,"name":"io.debezium.connector.postgresql.Source","version":1,"field":"source")");
}

std::string transaction_block_schema() {
  return structure({field("string", false, "id"), field("int64", false, "total_order"),
                    field("int64", false, "data_collection_order")},
                   true, R"(,"name":"event.block","version":1,"field":"transaction")");
}

std::string full_name(const SerializerOptions& options, const RelationFragments& fragments) {
  return fmt::format("{}.{}.{}", options.connector_name, fragments.relation()->schema, fragments.relation()->name);
}

// Of the row before, what is not part of the identity may be missing, whatever the table says.
std::vector<std::string> column_schemas(const RelationFragments& fragments, bool is_before) {
  std::vector<std::string> fields;
  for (const auto& column : fragments.columns()) {
    if (column.form == ValueForm::kOmitted) continue;
    fields.push_back(fragments.schema_of(column, is_before && !column.is_key));
  }
  return fields;
}

}  // namespace

std::string row_schema(const SerializerOptions& options, const RelationFragments& fragments) {
  const std::string name = full_name(options, fragments);
  const std::string row_name = named(name + ".Value");
  return structure({structure(column_schemas(fragments, true), true, row_name + R"(,"field":"before")"),
                    structure(column_schemas(fragments, false), true, row_name + R"(,"field":"after")"),
                    source_schema(options), transaction_block_schema(), field("string", false, "op"),
                    field("int64", true, "ts_ms"), field("int64", true, "ts_us"), field("int64", true, "ts_ns")},
                   false, named(name + ".Envelope") + R"(,"version":2)");
}

std::string message_schema(const SerializerOptions& options) {
  const char* content =
      options.debezium.binary_handling_mode == DebeziumOptions::BinaryHandling::kBytes ? "bytes" : "string";
  return structure(
      {field("string", false, "op"), field("int64", true, "ts_ms"), source_schema(options), transaction_block_schema(),
       structure({field("string", true, "prefix"), field(content, true, "content")}, false,
                 R"(,"name":"io.debezium.connector.postgresql.Message","version":1,"field":"message")")},
      false, R"(,"name":"io.debezium.connector.postgresql.MessageValue","version":1)");
}

std::string transaction_schema(const SerializerOptions&) {
  const std::string table = structure({field("string", false, "data_collection"), field("int64", false, "event_count")},
                                      false, R"(,"name":"event.collection","version":1)");
  return structure({field("string", false, "status"), field("string", false, "id"), field("int64", true, "event_count"),
                    fmt::format(R"({{"type":"array","items":{},"optional":true,"field":"data_collections"}})", table),
                    field("int64", false, "ts_ms")},
                   false, R"(,"name":"io.debezium.connector.common.TransactionMetadataValue","version":1)");
}

std::string message_key_schema() {
  return structure({field("string", false, "prefix")}, false,
                   R"(,"name":"io.debezium.connector.postgresql.MessageKey","version":1)");
}

std::string transaction_key_schema() {
  return structure({field("string", false, "id")}, false,
                   R"(,"name":"io.debezium.connector.common.TransactionMetadataKey","version":1)");
}

std::string key_schema(const SerializerOptions& options, const RelationFragments& fragments) {
  if (fragments.key().empty()) return "null";
  std::vector<std::string> fields;
  for (const std::size_t position : fragments.key())
    fields.push_back(fragments.schema_of(fragments.columns()[position], false));
  return structure(fields, false, named(full_name(options, fragments) + ".Key"));
}

}  // namespace walcat
