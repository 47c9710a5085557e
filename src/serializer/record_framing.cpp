#include "record_framing.h"

#include <algorithm>
#include <array>

#include "debezium_schema.h"
#include "envelope.h"

namespace walcat {

namespace {

void append_padded(LineWriter& out, std::string_view text) {
  ByteBuffer padded(text.size());
  padded.append(text);
  out.raw(padded.view());
}

char letter(Operation operation) {
  static constexpr std::array kLetters{'c', 'u', 'd', 't', 'm', 'b', 'e', 'r'};
  return kLetters[static_cast<std::size_t>(operation)];
}

bool is_border(const Change& change) {
  return change.operation == Operation::kBegin || change.operation == Operation::kCommit;
}

// The key's columns are looked for in the row that is; in the row that was once that is gone.
const Cell* key_row(const RowView& view) { return view.after != nullptr ? view.after : view.before; }

const Cell& key_cell(const RowView& view, std::size_t position) {
  const Cell& cell = key_row(view)[position];
  if (cell.size == Cell::kUnchanged && view.unchanged != nullptr) return view.unchanged[position];
  return cell;
}

}  // namespace

std::string message_topic(const SerializerOptions& options) { return legal_topic(options.connector_name + ".message"); }

std::string transaction_topic(const SerializerOptions& options) {
  return legal_topic(options.connector_name + ".transaction");
}

RecordFraming::RecordFraming(const SerializerOptions& options)
    : options_(options), rows_(options), key_separator_(16), topic_(options.topic, options.connector_name) {
  key_separator_.append(options.key_separator);
}

void RecordFraming::topic_and_key(LineWriter& out, const Batch& batch, const Change& change,
                                  const RelationFragments& fragments, const RowView& view) {
  if (options_.framing == Framing::kTopicKeyValue) {
    topic(out, change, fragments, view);
    out.raw(key_separator_.view());
  }
  key(out, batch, change, fragments, view);
  out.raw(key_separator_.view());
}

// What belongs to no table has a topic of its own, as in Debezium.
void RecordFraming::topic(LineWriter& out, const Change& change, const RelationFragments& fragments,
                          const RowView& view) {
  if (change.relation == nullptr) {
    return append_padded(out, is_border(change) ? transaction_topic(options_) : message_topic(options_));
  }
  append_padded(out, topic_.topic({fragments.database_name(), change.relation->schema, change.relation->name},
                                  letter(view.operation)));
}

void RecordFraming::key(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                        const RowView& view) {
  if (change.relation == nullptr) return key_without_table(out, batch, change);
  if (key_row(view) == nullptr || fragments.key().empty()) return out.literal("null");
  options_.key == KeyForm::kText ? text_key(out, batch, fragments, view) : json_key(out, batch, fragments, view);
}

void RecordFraming::key_without_table(LineWriter& out, const Batch& batch, const Change& change) {
  const bool has_schema = options_.envelope == Envelope::kDebeziumSchema;
  if (has_schema) {
    out.literal("{\"schema\":");
    append_padded(out, is_border(change) ? transaction_key_schema() : message_key_schema());
    out.literal(",\"payload\":");
  }
  if (is_border(change)) {
    out.literal("{\"id\":");
    write_transaction_id(out, batch.transactions[change.transaction]);
  } else {
    out.literal("{\"prefix\":");
    out.string(batch.text(batch.cells[change.cells_begin]));
  }
  has_schema ? out.literal("}}") : out.literal("}");
}

void RecordFraming::json_key(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
                             const RowView& view) {
  const bool has_schema = options_.envelope == Envelope::kDebeziumSchema;
  if (has_schema) {
    out.literal("{\"schema\":");
    out.raw(fragments.key_schema([&] { return key_schema(options_, fragments); }));
    out.literal(",\"payload\":");
  }
  out.literal("{");
  bool first = true;
  for (const std::size_t position : fragments.key()) {
    const auto& column = fragments.columns()[position];
    out.raw(fragments.name(column) + first, column.size - first);
    first = false;
    rows_.value(out, batch, fragments, column, key_cell(view, position));
  }
  has_schema ? out.literal("}}") : out.literal("}");
}

// Text as it stands where nothing else can be meant, else as JSON: a string, and an array for keys of several columns.
void RecordFraming::text_key(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
                             const RowView& view) {
  const auto& key = fragments.key();
  const auto value = [&](std::size_t position) {
    const Cell& cell = key_cell(view, position);
    const auto& column = fragments.columns()[position];
    // A rule holds in the key as well.
    if (column.form == ValueForm::kRuled) return rows_.value(out, batch, fragments, column, cell);
    cell.size < 0 ? out.literal("null") : out.string(batch.text(cell));
  };
  if (key.size() == 1) {
    const Cell& cell = key_cell(view, key.front());
    const bool is_plain = fragments.columns()[key.front()].form != ValueForm::kRuled;
    if (is_plain && cell.size > 0 && !is_ambiguous(batch.text(cell))) return out.raw(batch.text(cell));
    return value(key.front());
  }
  out.literal("[");
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (i > 0) out.literal(",");
    value(key[i]);
  }
  out.literal("]");
}

bool RecordFraming::is_ambiguous(std::string_view text) const {
  const bool looks_like_json = text == "null" || text.front() == '"' || text.front() == '[' || text.front() == '{';
  return looks_like_json ||
         std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }) ||
         text.find(options_.key_separator) != std::string_view::npos;
}

}  // namespace walcat
