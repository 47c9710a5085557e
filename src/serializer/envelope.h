#pragma once

#include <memory>

#include "line_writer.h"
#include "relation_fragments.h"
#include "row_writer.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// The object around a change: one of the forms that `output.envelope` names.
///
/// Threads: stage-bound (serializer).
class EnvelopeWriter {
 public:
  virtual ~EnvelopeWriter() = default;

  /// Another batch comes: whatever was remembered of the last one's transactions is void.
  virtual void start(const Batch& batch) = 0;

  /// Appends the value of one record, without anything around it. `fragments` are those of the change's relation.
  virtual void write(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                     const RowView& view) = 0;
};

/// The writer for `options.envelope`.
std::unique_ptr<EnvelopeWriter> make_envelope(const SerializerOptions& options);

/// Appends `{"status":"BEGIN"|"END","id":..,"event_count":..,"data_collections":..,"ts_ms":..}` for the border of a
/// transaction.
void write_transaction_border(LineWriter& out, const Batch& batch, const Change& change);

/// Whether `source.snapshot` tells where each table begins and ends, or only where the snapshot does.
enum class MarkDetail { kWhole, kEachTable };

/// Appends the value of `source.snapshot`, without quotes.
void write_mark(LineWriter& out, SnapshotMark mark, MarkDetail detail);

/// Appends `"xid:commit_lsn"`, the same for all of a transaction.
void write_transaction_id(LineWriter& out, const Transaction& transaction);

}  // namespace walcat
