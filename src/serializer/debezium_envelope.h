#pragma once

#include <cstdint>
#include <string_view>

#include "envelope.h"

namespace walcat {

/// Debezium's value, field for field, with or without its schema around it.
///
/// Source: Debezium's documentation of the PostgreSQL connector, "Data change events".
class DebeziumEnvelope : public EnvelopeWriter {
 public:
  explicit DebeziumEnvelope(const SerializerOptions& options);

  void start(const Batch& batch) override;
  void write(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
             const RowView& view) override;

 private:
  void payload(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
               const RowView& view);
  void row_change(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                  const RowView& view);
  void logical_message(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments);
  void source(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments);
  void remember(const Batch& batch, const Change& change, const RelationFragments& fragments);
  void render_head(const Transaction& transaction, const RelationFragments& fragments);
  void render_middle(const Transaction& transaction, const RelationFragments& fragments);
  void render_tail(const Transaction& transaction);
  void transaction_block(LineWriter& out, const Change& change, const Transaction& transaction, std::uint32_t ordinal);
  std::string_view schema(const Change& change, const RelationFragments& fragments);

  const SerializerOptions options_;
  RowWriter rows_;
  /// Nanoseconds since 1970: when the batch in hand came.
  std::int64_t received_ns_ = 0;
  /// `,"ts_ms":..,"ts_us":..,"ts_ns":..}` of that.
  ByteBuffer received_;
  /// `{"version":..,"connector":"postgresql","name":..,"ts_ms":`
  ByteBuffer source_begin_;

  // Runs of changes share relation and transaction, and with them all of the source block but the numbers between.
  const Relation* relation_ = nullptr;
  std::uint32_t transaction_ = 0;
  SnapshotMark mark_ = SnapshotMark::kNone;
  bool remembered_ = false;
  NearNumber lsn_;
  ByteBuffer source_head_;
  ByteBuffer source_middle_;
  ByteBuffer source_tail_;

  ByteBuffer transaction_schema_;
};

}  // namespace walcat
