// Reaches what the unit tests do not: any row of COPY's text form, of columns of any types, through the decoder and the
// serializer in each envelope and each form of values. Cells must hold what the manual says that the row says, and what
// is printed must be one line of JSON a row, whatever the texts are.
//
// The input is text. The first line is options, a digit each (see Options); the second the columns' types (see
// ColumnTypeName), apart by spaces; the rest is rows.

#include <simdjson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "column_type_name.h"
#include "fuzz_target.h"
#include "json_check.h"
#include "text_input.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {
namespace {

constexpr std::size_t kColumnsMost = 8;
constexpr std::uint64_t kChunk = 7;

using Field = std::optional<std::string>;
using Fields = std::vector<Field>;

struct Options {
  explicit Options(std::string_view digits) {
    Choices choices(digits);
    DebeziumOptions& debezium = serializer.debezium;
    serializer.envelope = choices.next_of<Envelope>(4);
    serializer.values = choices.next_of<Values>(3);
    debezium.time_precision_mode = choices.next_of<DebeziumOptions::TimePrecision>(6);
    debezium.decimal_handling_mode = choices.next_of<DebeziumOptions::DecimalHandling>(3);
    debezium.interval_handling_mode = choices.next_of<DebeziumOptions::IntervalHandling>(2);
    debezium.hstore_handling_mode = choices.next_of<DebeziumOptions::HstoreHandling>(2);
    debezium.binary_handling_mode = choices.next_of<DebeziumOptions::BinaryHandling>(4);
    debezium.money_fraction_digits = static_cast<int>(choices.next(10) * 2);
    is_utf8 = choices.next(2) == 0;
    rule.action = choices.next_of<ColumnRule::Action>(5);
    rule.length = choices.next(10);
    rule.mask = "***";
    is_chunk = choices.next(2) == 1;
  }
  SerializerOptions serializer;
  /// Whether the server vouches for UTF-8. What is none is replaced in any case.
  bool is_utf8 = true;
  /// Of the first column.
  ColumnRule rule;
  /// Whether the rows are a chunk of an incremental snapshot.
  bool is_chunk = false;
};

// The manual's words (COPY, Text Format), a byte at a time; nothing if a backslash is the last byte.
std::optional<Fields> fields_of(std::string_view row) {
  static constexpr std::string_view kLetters = "bfnrtv";
  static constexpr std::string_view kMeant = "\b\f\n\r\t\v";
  Fields fields(1, std::string());
  bool at_begin = true;
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (row[i] == '\t') {
      fields.emplace_back(std::string());
      at_begin = true;
      continue;
    }
    if (row[i] != '\\') {
      *fields.back() += row[i];
    } else if (++i == row.size()) {
      return std::nullopt;
    } else if (at_begin && row[i] == 'N' && (i + 1 == row.size() || row[i + 1] == '\t')) {
      fields.back() = std::nullopt;
    } else {
      const auto letter = kLetters.find(row[i]);
      *fields.back() += letter == std::string_view::npos ? row[i] : kMeant[letter];
    }
    at_begin = false;
  }
  return fields;
}

std::shared_ptr<SnapshotSource> source_of(std::string_view types, const Options& options) {
  auto source = std::make_shared<SnapshotSource>();
  Relation& relation = source->relation;
  relation.oid = 16384;
  relation.schema = "public";
  relation.name = "t";
  while (!types.empty() && relation.columns.size() < kColumnsMost) {
    const std::string_view name = types.substr(0, types.find(' '));
    types.remove_prefix(std::min(types.size(), name.size() + 1));
    if (name.empty()) continue;
    Column& column = relation.columns.emplace_back();
    column.name = "c" + std::to_string(relation.columns.size());
    column.is_key = relation.columns.size() == 1;
    ColumnTypeName(name).put_into(column);
    if (column.is_key) column.rule = options.rule;
  }
  source->point = Lsn{1000};
  return source;
}

bool is_valid_utf8(const std::string& text) { return simdjson::validate_utf8(text.data(), text.size()); }

// The rows up to the first that is none.
std::vector<Fields> whole_rows(std::string_view rest, std::size_t columns) {
  std::vector<Fields> rows;
  while (!rest.empty()) {
    auto fields = fields_of(take_line(rest));
    // A row without columns is an empty line.
    if (fields && columns == 0 && fields->front() == "" && fields->size() == 1) fields->clear();
    if (!fields || fields->size() != columns) break;
    rows.push_back(std::move(*fields));
  }
  return rows;
}

void check_cells(const Batch& batch, const Change& change, const Fields& fields) {
  if (change.operation != Operation::kRead) finding("another operation");
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const Cell& cell = batch.cells.at(change.cells_begin + i);
    if (!fields[i] != (cell.size == Cell::kNull)) finding("NULL or not");
    if (!fields[i]) continue;
    if (cell.size < 0) finding("a text without a size");
    if (!is_valid_utf8(*fields[i])) continue;
    if (batch.text(cell) != *fields[i]) finding("another text", *fields[i]);
  }
}

// What values: text prints comes back as the field that it was.
void check_texts(simdjson::dom::object row, const Fields& fields) {
  for (std::size_t i = 1; i < fields.size(); ++i) {
    simdjson::dom::element value;
    if (row["c" + std::to_string(i + 1)].get(value) != simdjson::SUCCESS) finding("a column is not there");
    if (fields[i] && !is_valid_utf8(*fields[i])) continue;
    if (fields[i] ? !value.is_string() || std::string_view(value) != *fields[i] : !value.is_null()) {
      finding("another value", fields[i].value_or("NULL"));
    }
  }
}

void check_line(std::string_view line, const Options& options, const Fields& fields) {
  if (line.find('\n') != line.size() - 1) finding("not one line", line);
  const auto* json = parsed_json(line);
  if (json == nullptr || !json->is_object()) finding("no JSON object", line);
  if (options.serializer.envelope == Envelope::kRow && options.serializer.values == Values::kText) {
    check_texts(*json, fields);
  }
}

void print(Serializer& serializer, Batch& batch, const Options& options, const std::vector<Fields>& rows) {
  while (batch.changes_written < batch.changes.size()) {
    serializer.serialize(batch);
    if (batch.line_ends.empty()) finding("no line, though changes are left");
    std::size_t begin = 0;
    for (const std::size_t end : batch.line_ends) {
      check_line(batch.lines.view().substr(begin, end - begin), options, rows.at(batch.changes_written++));
      begin = end;
    }
    batch.line_ends.clear();
    batch.lines.clear(batch.line_bytes());
  }
}

// The window of a worker that reads the chunk while nothing else happens.
std::shared_ptr<SnapshotWindow> open_window(Decoder& decoder, const std::shared_ptr<SnapshotWindow>& window) {
  window->follow();
  Batch stream(64);
  stream.session = 1;
  if (!decoder.decode(stream).is_ok()) finding("nothing cannot be decoded");
  window->begin_at(1000);
  window->watch({16384, {"c1"}});
  window->open(kChunk);
  return window;
}

void decode_and_print(const Options& options, const std::shared_ptr<SnapshotSource>& source, std::string_view rest) {
  DecoderOptions decoder_options;
  if (options.is_chunk) decoder_options.window = std::make_shared<SnapshotWindow>();
  Decoder decoder(decoder_options);
  Batch batch(4096);
  batch.session = batch.sequence = 1;
  batch.database = std::make_shared<const std::string>("db1");
  batch.is_utf8 = options.is_utf8;
  batch.snapshot = source;
  std::vector<Fields> rows = whole_rows(rest, source->relation.columns.size());
  std::size_t lines = 0;
  for (; !rest.empty(); ++lines) batch.append_frame(take_line(rest));
  if (options.is_chunk) {
    batch.chunk = kChunk;
    open_window(decoder, decoder_options.window)->hold(batch, source->relation, {});
  }
  const Status decoded = decoder.decode(batch);
  if (decoded.is_ok() != (rows.size() == lines)) finding("an error where there is none, or none where there is one");
  if (!decoded.is_ok() && decoded.code() != StatusCode::kProtocolError) finding("another error", decoded.message());
  // A key is never null; such a row cannot be told from others, and is left out.
  if (options.is_chunk) std::erase_if(rows, [](const Fields& fields) { return !fields.front(); });
  if (batch.changes.size() != rows.size()) finding("another number of rows");
  for (std::size_t i = 0; i < rows.size(); ++i) check_cells(batch, batch.changes[i], rows[i]);
  Serializer serializer(options.serializer);
  print(serializer, batch, options, rows);
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat::test;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  Options options(take_line(rest));
  const auto source = source_of(take_line(rest), options);
  // A chunk is read by a key.
  if (source->relation.columns.empty()) options.is_chunk = false;
  decode_and_print(options, source, rest);
  return 0;
}
