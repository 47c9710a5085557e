#pragma once

#include <cstdint>
#include <string>

#include "line_writer.h"
#include "relation_fragments.h"
#include "walcat/model/batch.h"
#include "walcat/model/byte_buffer.h"
#include "walcat/model/change.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// A change as one record shows it: what was, what is. An update may be shown as two records.
struct RowView {
  Operation operation = Operation::kInsert;
  /// Cells of the row before; null: nothing is shown.
  const Cell* before = nullptr;
  /// Whether only the key columns of `before` were sent.
  bool before_is_key = false;
  /// Cells of the row after; null: nothing is shown.
  const Cell* after = nullptr;
  /// Where values stand that `after` does not repeat (unchanged TOAST); null: nowhere.
  const Cell* unchanged = nullptr;
  /// Records of the change before this one.
  std::uint32_t ordinal = 0;

  /// The change itself, undivided.
  static RowView of(const Batch& batch, const Change& change);
};

/// Writes rows as the members of JSON objects.
///
/// Threads: stage-bound (serializer).
class RowWriter {
 public:
  /// What becomes of the columns outside the key when only the key was sent.
  enum class NotSent { kLeftOut, kNull };

  explicit RowWriter(const SerializerOptions& options);

  /// Appends `"name":value` for each column of the row before, commas between; returns whether there was any.
  bool before(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view,
              NotSent not_sent);
  /// The same for the row after.
  bool after(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view);
  /// Appends one value, whatever its form.
  void value(LineWriter& out, const Batch& batch, const RelationFragments& fragments,
             const RelationFragments::ColumnFragment& column, const Cell& cell);

 private:
  char* member(LineWriter& out, char* at, const RelationFragments& fragments,
               const RelationFragments::ColumnFragment& column, bool is_first, const Batch& batch, const Cell& cell);
  char* slow_member(LineWriter& out, char* at, const RelationFragments& fragments,
                    const RelationFragments::ColumnFragment& column, bool is_first, const Batch& batch,
                    const Cell& cell);
  void text(LineWriter& out, const RelationFragments& fragments, const RelationFragments::ColumnFragment& column,
            const char* text, std::size_t size);
  void ruled(LineWriter& out, const Column& column, std::string_view text);
  void unavailable(LineWriter& out, const RelationFragments& fragments,
                   const RelationFragments::ColumnFragment& column);

  /// The placeholder as a JSON string.
  ByteBuffer placeholder_;
  std::string scratch_;
  ByteBuffer padded_;
};

}  // namespace walcat
