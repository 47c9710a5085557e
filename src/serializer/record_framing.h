#pragma once

#include <string_view>

#include "line_writer.h"
#include "relation_fragments.h"
#include "row_writer.h"
#include "walcat/model/batch.h"
#include "walcat/model/topics.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// Writes what stands around a value: topic and key before it, the separator after it.
///
/// Threads: stage-bound (serializer).
class RecordFraming {
 public:
  explicit RecordFraming(const SerializerOptions& options);

  /// Appends topic and key, each with the key separator after it, as far as the framing has them.
  void begin(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
             const RowView& view) {
    if (options_.framing != Framing::kValue) topic_and_key(out, batch, change, fragments, view);
  }
  /// Appends the record separator.
  void end(LineWriter& out) { out.byte(options_.record_separator); }

 private:
  void topic_and_key(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                     const RowView& view);
  void topic(LineWriter& out, const Change& change, const RelationFragments& fragments, const RowView& view);
  void key(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
           const RowView& view);
  void key_without_table(LineWriter& out, const Batch& batch, const Change& change);
  void json_key(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view);
  void text_key(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view);
  bool is_ambiguous(std::string_view text) const;

  const SerializerOptions options_;
  RowWriter rows_;
  ByteBuffer key_separator_;
  const TopicTemplate topic_;
};

}  // namespace walcat
