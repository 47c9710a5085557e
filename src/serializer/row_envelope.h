#pragma once

#include "envelope.h"

namespace walcat {

/// The row flat (the row before for deletes), then what a table of changes wants to know of it:
/// `{"id":1,..,"__op":"c","__db":..,"__schema":..,"__table":..,"__ts_ms":..,"__commit_lsn":..,"__index":..}`
class RowEnvelope : public EnvelopeWriter {
 public:
  explicit RowEnvelope(const SerializerOptions& options) : options_(options), rows_(options) {}

  void start(const Batch&) override {}
  void write(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
             const RowView& view) override;

 private:
  const SerializerOptions options_;
  RowWriter rows_;
};

}  // namespace walcat
