#include "walcat/decoder/kept_rows.h"

#include <string_view>

#include "walcat/model/relation.h"

namespace walcat {

namespace {

// Source: PostgreSQL manual, COPY, "Text Format".
void append_escaped(std::string& row, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\b': row += "\\b"; break;
      case '\f': row += "\\f"; break;
      case '\n': row += "\\n"; break;
      case '\r': row += "\\r"; break;
      case '\t': row += "\\t"; break;
      case '\v': row += "\\v"; break;
      case '\\': row += "\\\\"; break;
      default: row += c;
    }
  }
}

}  // namespace

FrameText kept_rows(const Batch& batch) {
  FrameText rows;
  std::string row;
  for (const Change& change : batch.changes) {
    row.clear();
    for (std::size_t i = 0; i < change.relation->columns.size(); ++i) {
      const Cell& cell = batch.cells[change.cells_begin + i];
      if (i > 0) row += '\t';
      cell.size < 0 ? static_cast<void>(row += "\\N") : append_escaped(row, batch.text(cell));
    }
    const std::size_t at = rows.bytes.size();
    rows.bytes.resize(at + Batch::kFrameHeader);
    Batch::store_frame_size(rows.bytes.data() + at, row.size());
    rows.bytes += row;
    ++rows.count;
  }
  return rows;
}

}  // namespace walcat
