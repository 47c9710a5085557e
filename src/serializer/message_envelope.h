#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "line_writer.h"
#include "relation_fragments.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// Writes a change as `{"message":{"before":..,"after":..,"source":{..},"op":".."}}`.
///
/// Threads: stage-bound (serializer).
class MessageEnvelope {
 public:
  explicit MessageEnvelope(const SerializerOptions& options);

  /// Another batch comes: whatever was remembered of the last one's transactions is void.
  void start(const Batch& batch);

  /// Appends the line of `change`, newline included.
  void write(LineWriter& out, const Batch& batch, const Change& change);

 private:
  void remember(const Batch& batch, const Change& change);
  void source(LineWriter& out, const Change& change);
  void before(LineWriter& out, const Batch& batch, const Change& change);
  void after(LineWriter& out, const Batch& batch, const Change& change);
  void cell(LineWriter& out, const Batch& batch, const RelationFragments::ColumnFragment& column, const Cell& cell);

  SerializerOptions options_;
  FragmentCache cache_;

  // Runs of changes share relation and transaction, and with them most of the source block.
  const RelationFragments* fragments_ = nullptr;
  const Relation* relation_ = nullptr;
  std::uint32_t transaction_ = 0;
  bool remembered_ = false;
  /// `,"source":{..,"lsn":`
  ByteBuffer source_head_;
  /// `,"xmin":null,"commit_lsn":N,"index":`
  ByteBuffer source_tail_;
};

}  // namespace walcat
