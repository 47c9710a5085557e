#include "walcat/serializer/serializer.h"

#include <new>

#include "envelope.h"
#include "line_writer.h"
#include "record_framing.h"
#include "relation_fragments.h"
#include "row_writer.h"

namespace walcat {

namespace {

std::uint32_t bit(Operation operation) { return 1U << static_cast<unsigned>(operation); }

}  // namespace

Serializer::Serializer(const SerializerOptions& options)
    : options_(options),
      cache_(std::make_unique<FragmentCache>(options)),
      envelope_(make_envelope(options)),
      framing_(std::make_unique<RecordFraming>(options)) {
  for (const Operation operation : options.skip) skipped_ |= bit(operation);
}

Serializer::~Serializer() = default;

void Serializer::serialize(Batch& batch) {
  LineWriter out(batch.lines);
  envelope_->start(batch);
  fragments_ = nullptr;
  // The last line may run over: it should find room too, or the buffer would be moved for it.
  const std::size_t enough = batch.line_bytes() - batch.line_bytes() / 16;
  try {
    for (std::size_t i = batch.changes_written; i < batch.changes.size() && out.size() < enough; ++i) {
      const Change& change = batch.changes[i];
      if ((skipped_ & bit(change.operation)) == 0) records(out, batch, change);
      batch.line_ends.push_back(out.size());
    }
  } catch (const std::bad_alloc&) {
    out.return_to({batch.line_ends.empty() ? 0 : batch.line_ends.back(), out.texts_instead()});
    out.close();
    throw;
  }
  batch.values_as_text += out.texts_instead();
  out.close();
}

void Serializer::records(LineWriter& out, const Batch& batch, const Change& change) {
  if (fragments_ == nullptr || fragments_of_ != change.relation) {
    fragments_ = &cache_->get(change.relation, batch);
    fragments_of_ = change.relation;
  }
  const RowView view = RowView::of(batch, change);
  if (change.is_split) {
    RowView gone = view;
    gone.operation = Operation::kDelete;
    gone.after = nullptr;
    RowView come = view;
    come.operation = Operation::kInsert;
    come.before = nullptr;
    come.ordinal = 1;
    record(out, batch, change, *fragments_, gone);
    tombstone(out, batch, change, *fragments_, gone);
    return record(out, batch, change, *fragments_, come);
  }
  record(out, batch, change, *fragments_, view);
  tombstone(out, batch, change, *fragments_, view);
}

// The schema comes before the values: where they show that it is out of date, the record is written again.
void Serializer::record(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                        const RowView& view) {
  if (options_.envelope == Envelope::kDebeziumSchema) learn_nulls(batch, change, fragments, view);
  const LineWriter::Mark before = out.mark();
  write_record(out, batch, change, fragments, view);
  if (!out.has_strange_labels()) return;
  out.return_to(before);
  cache_->find(change.relation, batch).learn(out.take_strange_labels(), options_);
  write_record(out, batch, change, fragments, view);
}

void Serializer::write_record(LineWriter& out, const Batch& batch, const Change& change,
                              const RelationFragments& fragments, const RowView& view) {
  framing_->begin(out, batch, change, fragments, view);
  envelope_->write(out, batch, change, fragments, view);
  framing_->end(out);
}

void Serializer::learn_nulls(const Batch& batch, const Change& change, const RelationFragments& fragments,
                             const RowView& view) {
  std::vector<std::size_t> nulls;
  for (const std::size_t position : fragments.required()) {
    // Of the row before, only what is part of the identity is promised.
    const bool is_promised = view.before != nullptr && fragments.columns()[position].is_key;
    const bool is_null = (view.after != nullptr && view.after[position].size == Cell::kNull) ||
                         (is_promised && view.before[position].size == Cell::kNull);
    if (is_null) nulls.push_back(position);
  }
  for (const std::size_t position : nulls) cache_->find(change.relation, batch).learn_null(position);
}

// The same key and no value: Kafka's compaction forgets the key.
void Serializer::tombstone(LineWriter& out, const Batch& batch, const Change& change,
                           const RelationFragments& fragments, const RowView& view) {
  if (!options_.tombstones || view.operation != Operation::kDelete || fragments.key().empty()) return;
  framing_->begin(out, batch, change, fragments, view);
  framing_->end(out);
}

}  // namespace walcat
