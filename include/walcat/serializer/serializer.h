#pragma once

#include <cstdint>
#include <memory>

#include "walcat/model/batch.h"
#include "walcat/serializer/options.h"

namespace walcat {

class EnvelopeWriter;
class FragmentCache;
class LineWriter;
class RecordFraming;
class RelationFragments;
struct RowView;

/// Turns the changes of a batch into lines of JSON.
///
/// Holds what it has rendered once per relation; otherwise without state, so batches may go to any serializer.
class Serializer {
 public:
  explicit Serializer(const SerializerOptions& options);
  ~Serializer();

  /// Appends the lines of `batch`'s changes from `changes_written` on, in order, and the end of each change's lines.
  ///
  /// A change can have no line (`output.skip`) or several (`output.key_changes`, `output.tombstones`).
  /// Stops early, after a whole change, once the lines outgrow Batch::line_bytes(); the writer then takes what is there
  /// and the batch comes back for the rest.
  /// Threads: stage-bound (serializer).
  /// Errors: std::bad_alloc; the lines that are there are whole, and the serializer is good for other batches.
  void serialize(Batch& batch);

 private:
  void records(LineWriter& out, const Batch& batch, const Change& change);
  void record(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
              const RowView& view);
  void write_record(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                    const RowView& view);
  void learn_nulls(const Batch& batch, const Change& change, const RelationFragments& fragments, const RowView& view);
  void tombstone(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                 const RowView& view);

  const SerializerOptions options_;
  /// A bit for each operation.
  std::uint32_t skipped_ = 0;
  std::unique_ptr<FragmentCache> cache_;
  std::unique_ptr<EnvelopeWriter> envelope_;
  std::unique_ptr<RecordFraming> framing_;
  /// Those of the change in hand; changes come in runs of one relation.
  const RelationFragments* fragments_ = nullptr;
  const void* fragments_of_ = nullptr;
};

}  // namespace walcat
