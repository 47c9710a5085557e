// What does each kind of value cost to serialize?
//
// Workload: rows of 8 columns of one type, all with the same value, in the `row` envelope, whose other members are the
// baseline `none` (a table without columns). Once as `native` writes it, once as `debezium` does. Unit: values a
// second, bytes of their text.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"
#include "workload.h"

namespace walcat::test {
namespace {

constexpr std::size_t kColumns = 8;

void value(benchmark::State& state, std::uint32_t type_oid, const std::string& text, Values values) {
  TableSpec table{16384, "public", "t", 'd', {}};
  Tuple row;
  for (std::size_t i = 0; type_oid != 0 && i < kColumns; ++i) {
    table.columns.push_back({"column_" + std::to_string(i), type_oid});
    row.emplace_back(text);
  }
  Batch batch(kBatchBytes);
  batch.append_frame(at(0, begin(0x1000)));
  batch.append_frame(at(0, relation(table)));
  const std::string frame = at(0x800, insert(table.oid, row));
  // Few enough for their lines to fit the batch at once, or each round would serialize another part.
  for (int i = 0; i < 200 && batch.has_room(frame.size()); ++i) batch.append_frame(frame);
  batch.database = std::make_shared<const std::string>("bench");
  batch.session = 1;
  Decoder decoder;
  if (!decoder.decode(batch).is_ok()) return state.SkipWithError("malformed");
  SerializerOptions options;
  options.envelope = Envelope::kRow;
  options.values = values;
  Serializer serializer(options);
  std::int64_t written = 0;
  for (auto _ : state) {
    serializer.serialize(batch);
    written += static_cast<std::int64_t>(batch.line_ends.size());
    drop_lines(batch);
  }
  state.SetItemsProcessed(written * static_cast<std::int64_t>(row.empty() ? 1 : row.size()));
  state.SetBytesProcessed(written * static_cast<std::int64_t>(row.size() * text.size()));
}

struct Kind {
  const char* name;
  std::uint32_t type_oid;
  std::string text;
};

std::string dirty_text() {
  std::string text;
  for (int i = 0; i < 4; ++i) text += "said \"so\"\tand\n";
  return text;
}

const Kind kKinds[] = {
    {"none", 0, ""},
    {"bool", kBool, "t"},
    {"int4", kInt4, "12345"},
    {"int8", kInt8, "1234567890123"},
    {"numeric", kNumeric, "12345.67"},
    {"float8", kFloat8, "3.14159265358979"},
    {"text_of_12", kText, "twelve bytes"},
    {"text_of_56", kText, std::string(56, 'x')},
    {"text_of_1000", kText, std::string(1000, 'x')},
    {"dirty_text_of_56", kText, dirty_text()},
    {"timestamp", kTimestamp, "2026-01-31 12:00:00.123456"},
    {"timestamptz", kTimestampTz, "2026-01-31 12:00:00.123456+00"},
    {"date", 1082, "2026-01-31"},
    {"uuid", kUuid, "123e4567-e89b-12d3-a456-426614174000"},
    {"jsonb", kJsonb, R"({"id": 7, "tags": ["a", "b"], "ok": true})"},
    {"bytea", 17, "\\x000102030405060708090a0b0c0d0e0f"},
    {"int4_array", 1007, "{1,2,3,4,5,6,7,8}"},
    {"text_array", 1009, R"({one,two,"three, or so",NULL})"},
};

[[maybe_unused]] const bool kRegistered = [] {
  for (const auto& [form, values] : {std::pair{"native", Values::kNative}, std::pair{"debezium", Values::kDebezium}}) {
    for (const Kind& kind : kKinds) {
      benchmark::RegisterBenchmark((std::string(form) + "/" + kind.name).c_str(), value, kind.type_oid, kind.text,
                                   values);
    }
  }
  return true;
}();

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
