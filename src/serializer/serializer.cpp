#include "walcat/serializer/serializer.h"

#include <algorithm>

#include "envelope.h"
#include "line_writer.h"
#include "record_framing.h"
#include "relation_fragments.h"
#include "row_writer.h"

namespace walcat {

namespace {

std::uint32_t bit(Operation operation) { return 1U << static_cast<unsigned>(operation); }

// Whether an update that came with its old row or key changed the key. The old key is sent as well when it is only
// too long to be left out.
bool changes_key(const Batch& batch, const Change& change, const RowView& view) {
  if (change.operation != Operation::kUpdate || view.before == nullptr) return false;
  const auto& columns = change.relation->columns;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Cell& was = view.before[i];
    const Cell& is = view.after[i];
    const bool in_key =
        change.relation->key.empty()
            ? columns[i].is_key && change.old_tuple == OldTuple::kKey
            : std::find(change.relation->key.begin(), change.relation->key.end(), i) != change.relation->key.end();
    if (!in_key || is.size == Cell::kUnchanged) continue;
    if (view.before_is_key && !columns[i].is_key) continue;
    if (was.size != is.size || (is.size > 0 && batch.text(was) != batch.text(is))) return true;
  }
  return false;
}

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
  const std::size_t enough = batch.line_bytes();
  for (std::size_t i = batch.changes_written; i < batch.changes.size() && out.size() < enough; ++i) {
    const Change& change = batch.changes[i];
    if ((skipped_ & bit(change.operation)) == 0) records(out, batch, change);
    batch.line_ends.push_back(out.size());
  }
  out.close();
}

void Serializer::records(LineWriter& out, const Batch& batch, const Change& change) {
  if (fragments_ == nullptr || fragments_of_ != change.relation) {
    fragments_ = &cache_->get(change.relation, batch);
    fragments_of_ = change.relation;
  }
  const RowView view = RowView::of(batch, change);
  if (options_.key_changes == KeyChanges::kSplit && changes_key(batch, change, view)) {
    RowView gone = view;
    gone.operation = Operation::kDelete;
    gone.after = nullptr;
    RowView come = view;
    come.operation = Operation::kInsert;
    come.before = nullptr;
    record(out, batch, change, *fragments_, gone);
    tombstone(out, batch, change, *fragments_, gone);
    return record(out, batch, change, *fragments_, come);
  }
  record(out, batch, change, *fragments_, view);
  tombstone(out, batch, change, *fragments_, view);
}

void Serializer::record(LineWriter& out, const Batch& batch, const Change& change, const RelationFragments& fragments,
                        const RowView& view) {
  framing_->begin(out, batch, change, fragments, view);
  envelope_->write(out, batch, change, fragments, view);
  framing_->end(out);
}

// The same key and no value: Kafka's compaction forgets the key.
void Serializer::tombstone(LineWriter& out, const Batch& batch, const Change& change,
                           const RelationFragments& fragments, const RowView& view) {
  if (!options_.tombstones || view.operation != Operation::kDelete || fragments.key().empty()) return;
  framing_->begin(out, batch, change, fragments, view);
  framing_->end(out);
}

}  // namespace walcat
