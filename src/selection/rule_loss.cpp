#include "rule_loss.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include "succession.h"

namespace walcat::selection {

namespace {

// Names that were exchanged show in the order of the columns alone.
void find_moved(const RememberedTable& before, const Relation& relation, RuleLoss& loss) {
  const std::vector<std::string>& columns = before.layout.columns;
  const std::vector<std::string> names = layout_of(relation).columns;
  if (before.hidden.empty() || names == columns) return;
  const auto uncovers = [&](std::size_t i, std::size_t j) {
    const std::string& hidden = columns[i];
    if (!before.hidden.contains(hidden) || hidden == names[j] || !is_open(relation.columns[j])) return false;
    // One whose name is gone counts as lost where something new is there.
    return find_column(relation, hidden) != nullptr;
  };
  const auto successors = likeliest_successors(columns, names, uncovers);
  for (std::size_t i = 0; i < successors.size(); ++i) {
    if (successors[i] == kNoColumn || !uncovers(i, successors[i])) continue;
    loss.lost.insert(columns[i]);
    loss.uncovered.insert(names[successors[i]]);
  }
}

// A column that was renamed, whatever else was done to the table.
void find_renamed(const RememberedTable& before, const Relation& relation, RuleLoss& loss) {
  for (const Column& column : relation.columns) {
    const auto hidden = before.numbers.find(column.number);
    if (hidden == before.numbers.end() || hidden->second == column.name || !is_open(column)) continue;
    loss.lost.insert(hidden->second);
    loss.uncovered.insert(column.name);
  }
}

}  // namespace

bool is_open(const Column& column) { return column.rule.action == ColumnRule::Action::kPrint; }

const Column* find_column(const Relation& relation, const std::string& name) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return found == relation.columns.end() ? nullptr : &*found;
}

TableLayout layout_of(const Relation& relation) {
  TableLayout layout{{relation.schema, relation.name}};
  for (const Column& column : relation.columns) layout.columns.push_back(column.name);
  return layout;
}

RuleLoss loss_of(const RememberedTable& before, const Relation& relation, const std::set<std::string>& dropped) {
  RuleLoss loss;
  loss.is_table = before.is_excluded || before.is_kept_out;
  std::set<std::string> missing;
  for (const std::string& hidden : before.hidden) {
    const Column* column = find_column(relation, hidden);
    if (column == nullptr) {
      if (!dropped.contains(hidden)) missing.insert(hidden);
    } else if (is_open(*column)) {
      loss.lost.insert(hidden);
      loss.uncovered.insert(hidden);
    }
  }
  const std::vector<std::string>& columns = before.layout.columns;
  for (const Column& column : relation.columns) {
    const bool was_there = std::find(columns.begin(), columns.end(), column.name) != columns.end();
    if (missing.empty() || !is_open(column) || was_there) continue;
    loss.uncovered.insert(column.name);
    loss.lost.insert(missing.begin(), missing.end());
  }
  if (before.oid == relation.oid) {
    find_moved(before, relation, loss);
    find_renamed(before, relation, loss);
  }
  if (loss.is_none()) {
    // Of those that were not there before either, that was said when they went.
    const auto was_there = [&](const std::string& name) {
      return std::find(columns.begin(), columns.end(), name) != columns.end();
    };
    std::copy_if(missing.begin(), missing.end(), std::inserter(loss.gone, loss.gone.end()), was_there);
  }
  return loss;
}

}  // namespace walcat::selection
