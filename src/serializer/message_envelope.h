#pragma once

#include "envelope.h"

namespace walcat {

/// `{"message":{"before":..,"after":..,"source":{..},"op":".."}}`
class MessageEnvelope : public EnvelopeWriter {
 public:
  explicit MessageEnvelope(const SerializerOptions& options);

  void start(const Batch& batch) override;
  void write(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
             const RowView& view) override;

 private:
  void remember(const Batch& batch, const Change& change, const RelationFragments& fragments);
  void rows(LineWriter& out, const Batch& batch, const RelationFragments& fragments, const RowView& view);
  char* source(char* at, const Change& change);
  void logical_message(LineWriter& out, const Batch& batch, const Change& change);

  const SerializerOptions options_;
  RowWriter rows_;

  // Runs of changes share relation and transaction, and with them most of the source block.
  const Relation* relation_ = nullptr;
  std::uint32_t transaction_ = 0;
  SnapshotMark mark_ = SnapshotMark::kNone;
  std::uint64_t index_base_ = 0;
  bool remembered_ = false;
  NearNumber lsn_;
  /// `,"source":{..,"lsn":`
  ByteBuffer source_head_;
  /// `,"xmin":null,"commit_lsn":N,"index":`
  ByteBuffer source_tail_;
};

}  // namespace walcat
