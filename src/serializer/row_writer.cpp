#include "row_writer.h"

#include "json_number.h"
#include "quoted_json.h"
#include "walcat/selection/column_value.h"

namespace walcat {

RowView RowView::of(const Batch& batch, const Change& change) {
  RowView view;
  view.operation = change.operation;
  if (change.relation == nullptr || change.operation == Operation::kTruncate) return view;
  // A table without columns has rows without cells; that they are there must show all the same.
  static constexpr Cell kNoCells{};
  const Cell* cells = batch.cells.empty() ? &kNoCells : batch.cells.data() + change.cells_begin;
  if (change.old_tuple != OldTuple::kNone) {
    view.before = cells;
    view.before_is_key = change.old_tuple == OldTuple::kKey;
    view.unchanged = cells;
    cells += change.relation->columns.size();
  }
  if (change.operation != Operation::kDelete) view.after = cells;
  return view;
}

RowWriter::RowWriter(const SerializerOptions& options) : placeholder_(64), padded_(256) {
  placeholder_.append(quoted_json(placeholder_text(options.debezium.unavailable_value_placeholder)));
}

// All columns under identity FULL, else those that the identity is made of.
bool RowWriter::before(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view,
                       NotSent not_sent) {
  bool first = true;
  const Cell* cell = view.before;
  char* at = out.reserve(0);
  for (const auto& column : fragments.columns()) {
    const Cell& value_before = *cell++;
    const bool was_sent = !view.before_is_key || column.is_key;
    if (column.form == ValueForm::kOmitted || (!was_sent && not_sent == NotSent::kLeftOut)) continue;
    at = member(out, at, fragments, column, first, batch, was_sent ? value_before : Cell{});
    first = false;
  }
  out.advance_to(at);
  return !first;
}

// A TOAST value that did not change is not sent again; the old tuple has it under identity FULL or in a key.
bool RowWriter::after(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view) {
  bool first = true;
  const Cell* cell = view.after;
  const Cell* old = view.unchanged;
  char* at = out.reserve(0);
  for (const auto& column : fragments.columns()) {
    const bool from_old = cell->size == Cell::kUnchanged && old != nullptr && old->size >= 0;
    const Cell& now = from_old ? *old : *cell;
    ++cell;
    if (old != nullptr) ++old;
    if (column.form == ValueForm::kOmitted) continue;
    at = member(out, at, fragments, column, first, batch, now);
    first = false;
  }
  out.advance_to(at);
  return !first;
}

// Where the next byte goes stays in a register, and room for name and value is asked for once.
inline char* RowWriter::member(LineWriter& out, char* at, const RelationFragments& fragments,
                               const RelationFragments::ColumnFragment& column, bool is_first, const Batch& batch,
                               const Cell& cell) {
  constexpr std::int32_t kShortText = LineWriter::kShortText;
  const auto size = static_cast<std::size_t>(cell.size < 0 ? 0 : cell.size);
  const std::size_t most = column.size + kEscapeMost * size + kQuotes + sizeof "false";
  const bool has_room = most <= static_cast<std::size_t>(out.limit() - at);
  if (cell.size > kShortText || cell.size == Cell::kUnchanged || !has_room) [[unlikely]]
    return slow_member(out, at, fragments, column, is_first, batch, cell);
  const char* const text = batch.frame_base() + cell.offset;
  switch (column.form) {
    case ValueForm::kString:
      at = put(at, fragments.name(column) + is_first, column.size - is_first);
      return cell.size < 0 ? put(at, "null") : put_string(at, text, size);
    case ValueForm::kNumber:
      at = put(at, fragments.name(column) + is_first, column.size - is_first);
      if (cell.size < 0) return put(at, "null");
      // NaN, Infinity and -Infinity are no JSON numbers.
      return is_json_number_padded(text, size) ? put(at, text, size) : put_string(at, text, size);
    case ValueForm::kBoolean:
      at = put(at, fragments.name(column) + is_first, column.size - is_first);
      if (cell.size < 0) return put(at, "null");
      return *text == 't' ? put(at, "true") : put(at, "false");
    case ValueForm::kPlanned:
      at = put(at, fragments.name(column) + is_first, column.size - is_first);
      if (cell.size < 0) return put(at, "null");
      out.advance_to(at);
      fragments.plan(column).write(out, text, size);
      return out.reserve(0);
    default: return slow_member(out, at, fragments, column, is_first, batch, cell);
  }
}

char* RowWriter::slow_member(LineWriter& out, char* at, const RelationFragments& fragments,
                             const RelationFragments::ColumnFragment& column, bool is_first, const Batch& batch,
                             const Cell& cell) {
  out.advance_to(at);
  out.raw(fragments.name(column) + is_first, column.size - is_first);
  value(out, batch, fragments, column, cell);
  return out.reserve(0);
}

void RowWriter::value(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
                      const RelationFragments::ColumnFragment& column, const Cell& cell) {
  if (cell.size >= 0) [[likely]] {
    return text(out, fragments, column, batch.frame_base() + cell.offset, static_cast<std::size_t>(cell.size));
  }
  cell.size == Cell::kNull ? out.literal("null") : unavailable(out, fragments, column);
}

void RowWriter::text(LineWriter& out, const RelationFragments& fragments,
                     const RelationFragments::ColumnFragment& column, const char* text, std::size_t size) {
  switch (column.form) {
    case ValueForm::kString:
    case ValueForm::kOmitted: return out.string(text, size);
    case ValueForm::kBoolean: return *text == 't' ? out.literal("true") : out.literal("false");
    case ValueForm::kNumber: {
      // NaN, Infinity and -Infinity are no JSON numbers.
      if (is_json_number({text, size})) return out.raw(text, size);
      return out.string(text, size);
    }
    case ValueForm::kPlanned: return fragments.plan(column).write(out, text, size);
    case ValueForm::kRuled: return ruled(out, fragments.column(column), {text, size});
  }
}

void RowWriter::ruled(LineWriter& out, const Column& column, std::string_view text) {
  padded_.clear(padded_.capacity());
  padded_.append(ruled_value(column.rule, text, scratch_));
  out.string(padded_.view());
}

void RowWriter::unavailable(LineWriter& out, const RelationFragments& fragments,
                            const RelationFragments::ColumnFragment& column) {
  if (column.form == ValueForm::kPlanned) return fragments.plan(column).write_unavailable(out);
  // A rule that shows nothing of the value does not need it.
  if (column.form == ValueForm::kRuled && fragments.column(column).rule.action == ColumnRule::Action::kMask) {
    return ruled(out, fragments.column(column), {});
  }
  out.raw(placeholder_.view());
}

}  // namespace walcat
