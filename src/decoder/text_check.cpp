// Text that is no UTF-8, whatever the server says of its encoding: SQL_ASCII databases hold such, and those whose
// encoding was changed in the catalog. The content of a message is not text.

#include "text_check.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "message.h"
#include "walcat/base/utf8.h"
#include "walcat/decoder/decoder.h"

namespace walcat {

namespace {

constexpr const char* kRefused = "the text is no UTF-8; hint: output.invalid_utf8: replace prints U+FFFD";

bool is_utf8(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

// How many of a change's cells are text.
std::size_t text_cells(const Change& change) {
  if (change.operation == Operation::kMessage) return 1;
  if (change.relation == nullptr) return 0;
  const bool has_new = change.operation == Operation::kInsert || change.operation == Operation::kUpdate ||
                       change.operation == Operation::kRead;
  const std::size_t tuples = (change.old_tuple != OldTuple::kNone ? 1 : 0) + (has_new ? 1 : 0);
  return tuples * change.relation->columns.size();
}

}  // namespace

// Whether a tuple with bytes above 0x7F is sound. Between two texts stand a letter and a size: if all of these are
// ASCII, the texts are UTF-8 where the whole is. `sizes`: those of the texts, one or'ed to the next.
bool Decoder::is_sound(std::string_view tuple, const Cell* cells, std::size_t count, std::uint32_t sizes) const {
  constexpr std::uint32_t kHighBits = 0x80808080;
  if ((sizes & kHighBits) == 0) return is_utf8(tuple);
  return std::all_of(cells, cells + count, [&](const Cell& cell) {
    if (cell.size <= 0) return true;
    const std::string_view text = batch_->text(cell);
    return is_ascii(text.data(), text.size()) || is_utf8(text);
  });
}

// Whether a row of COPY is sound; its borders and escapes are ASCII.
bool Decoder::is_sound(std::string_view row) { return is_ascii(row.data(), row.size()) || is_utf8(row); }

// Makes text that is refused the message's fault, unless nobody would see it. `cells_begin`: the first of its cells.
void Decoder::check_text(Message& message, Operation operation, const Relation* relation, std::size_t cells_begin) {
  if (!has_invalid_text_ || !options_.refuse_invalid_utf8) return;
  if (!wants(operation, relation) || next_index_ < done_below_) return;
  for (std::size_t i = cells_begin; i < batch_->cells.size(); ++i) {
    const Cell& cell = batch_->cells[i];
    if (cell.size <= 0 || is_utf8(batch_->text(cell))) continue;
    return message.fault_at(
        batch_->frame_base() + cell.offset,
        fmt::format("column {}: {}", relation->columns[(i - cells_begin) % relation->columns.size()].name, kRefused));
  }
}

void Decoder::check_prefix(Message& message, std::string_view prefix, bool is_seen) {
  has_invalid_text_ = !is_sound(prefix);
  if (!has_invalid_text_ || !options_.refuse_invalid_utf8 || !is_seen) return;
  message.fault_at(prefix.data(), fmt::format("a logical message's prefix: {}", kRefused));
}

// Once the frames are decoded: the texts of all changes, replaced, or, if they are refused, of rows.
Status Decoder::check_texts() {
  if (!batch_has_invalid_text_) return Status::ok();
  for (const Change& change : batch_->changes) {
    if (!change.has_invalid_text) continue;
    const std::size_t cells = text_cells(change);
    for (std::size_t i = 0; i < cells; ++i) {
      Cell& cell = batch_->cells[change.cells_begin + i];
      if (cell.size <= 0 || is_utf8(batch_->text(cell))) continue;
      if (options_.refuse_invalid_utf8) return refuse_row(change, i);
      const std::string repaired = with_replacements(batch_->text(cell));
      cell = {batch_->append_text(repaired), static_cast<std::int32_t>(repaired.size())};
      ++batch_->values_repaired;
    }
  }
  return Status::ok();
}

// What is printed ends before the row that holds the text.
Status Decoder::refuse_row(const Change& change, std::size_t cell) {
  const Lsn lsn = change.lsn;
  const Relation& relation = *change.relation;
  batch_->changes.resize(static_cast<std::size_t>(&change - batch_->changes.data()));
  return {StatusCode::kProtocolError,
          fmt::format("snapshot at LSN {}, relation {}.{}, column {}: {}", lsn.to_string(), relation.schema,
                      relation.name, relation.columns[cell % relation.columns.size()].name, kRefused)};
}

}  // namespace walcat
