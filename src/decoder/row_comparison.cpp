// What an update has changed, as far as its old tuple tells.

#include <algorithm>

#include "walcat/decoder/decoder.h"

namespace walcat {

// Whether an update that carries the whole old row changes no column that is printed, and such are not wanted.
bool Decoder::is_unchanged(const Relation& relation, std::size_t old_cells) const {
  if (options_.selection == nullptr || !options_.selection->skip_unchanged()) return false;
  const Cell* before = batch_->cells.data() + old_cells;
  const Cell* after = before + relation.columns.size();
  for (const Column& column : relation.columns) {
    const Cell& was = *before++;
    const Cell& is = *after++;
    if (column.rule.action == ColumnRule::Action::kOmit || is.size == Cell::kUnchanged) continue;
    if (was.size != is.size) return false;
    if (is.size > 0 && batch_->text(was) != batch_->text(is)) return false;
  }
  return true;
}

// Whether an update that came with its old row or key changed the key. The old key is sent as well when it is only too
// long to be left out.
bool Decoder::changes_key(const Relation& relation, OldTuple old, std::size_t old_cells) const {
  if (old == OldTuple::kNone) return false;
  const Cell* before = batch_->cells.data() + old_cells;
  const Cell* after = before + relation.columns.size();
  const auto differs = [&](std::size_t i) {
    if (after[i].size == Cell::kUnchanged) return false;
    if (old == OldTuple::kKey && !relation.columns[i].is_key) return false;
    if (before[i].size != after[i].size) return true;
    return before[i].size > 0 && batch_->text(before[i]) != batch_->text(after[i]);
  };
  if (!relation.key.empty()) return std::any_of(relation.key.begin(), relation.key.end(), differs);
  if (old == OldTuple::kFull) return false;
  for (std::size_t i = 0; i < relation.columns.size(); ++i) {
    if (relation.columns[i].is_key && differs(i)) return true;
  }
  return false;
}

}  // namespace walcat
