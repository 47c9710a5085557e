#include "walcat/selection/rule_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "succession.h"

namespace walcat {

namespace {

using Action = ColumnRule::Action;

constexpr const char* kWaysOut =
    "hint: let a rule match the new names beside the old ones, under which older rows still come; or on_lost_rule: "
    "mask hides what is new; or, if it may be seen, on_lost_rule: continue";
// Tables that are published no longer, of which more than that are not worth to be remembered.
constexpr std::size_t kGoneMost = 1000;

TableName name_of(const Relation& relation) { return {relation.schema, relation.name}; }

bool is_open(const Column& column) { return column.rule.action == Action::kPrint; }

const Column* find_column(const Relation& relation, const std::string& name) {
  const auto found = std::find_if(relation.columns.begin(), relation.columns.end(),
                                  [&](const Column& column) { return column.name == name; });
  return found == relation.columns.end() ? nullptr : &*found;
}

std::vector<std::string> names_of(const std::vector<Column>& columns) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.push_back(column.name);
  return names;
}

std::string full_name(const TableName& table) { return table.schema + "." + table.table; }
std::string full_name(const TableName& table, const std::string& column) { return full_name(table) + "." + column; }

// Whether a column of this name was there, under whatever name of the table.
bool knows(const RememberedTable& table, const std::string& column) {
  if (std::find(table.columns.begin(), table.columns.end(), column) != table.columns.end()) return true;
  return std::any_of(table.shown.begin(), table.shown.end(),
                     [&](const auto& shown) { return shown.second.contains(column); });
}

bool has_shown(const RememberedTable& table, const TableName& name, const std::string& column) {
  const auto shown = table.shown.find(name);
  return shown != table.shown.end() && shown->second.contains(column);
}

ColumnRule mask() {
  ColumnRule rule;
  rule.action = Action::kMask;
  rule.mask = SelectionOptions::MaskRule().with;
  return rule;
}

const char* what_hides(Action action) {
  switch (action) {
    case Action::kOmit: return "left out";
    case Action::kMask: return "masked";
    case Action::kTruncate: return "truncated";
    default: return nullptr;
  }
}

}  // namespace

// What a description has of what a rule hid.
struct RuleMemory::Loss {
  // Hidden columns that may come under other names, and those names.
  std::set<std::string> lost;
  std::set<std::string> uncovered;
  // Hidden columns that are gone, with nothing new in their place.
  std::set<std::string> gone;
  bool is_table = false;

  bool is_none() const { return uncovered.empty() && !is_table; }
};

RuleMemory::RuleMemory(std::shared_ptr<const Selection> selection, OnLostRule on_lost_rule, bool warns_of_keys,
                       const log::Logger& logger)
    : selection_(std::move(selection)),
      on_lost_rule_(on_lost_rule),
      warns_of_keys_(warns_of_keys),
      logger_(logger),
      hides_by_name_(selection_->hides_by_name()) {}

void RuleMemory::recall(const std::vector<RememberedTable>& tables) {
  const std::lock_guard lock(mutex_);
  for (const RememberedTable& table : tables) tables_.insert_or_assign(table.oid, table);
}

Status RuleMemory::compare(const std::vector<Relation>& published) {
  const std::lock_guard lock(mutex_);
  std::map<std::uint32_t, const Relation*> by_oid;
  for (const Relation& relation : published) by_oid.emplace(relation.oid, &relation);
  std::size_t gone = 0;
  for (auto entry = tables_.begin(); entry != tables_.end();) {
    const auto now = by_oid.find(entry->first);
    take_over(entry->second, now == by_oid.end() ? nullptr : now->second);
    entry = now == by_oid.end() && ++gone > kGoneMost ? tables_.erase(entry) : std::next(entry);
  }
  for (const Relation& described : published) {
    Relation relation = described;
    selection_->apply(relation);
    const auto known = tables_.find(relation.oid);
    if (known != tables_.end()) hide_remembered(known->second, relation);
    std::set<std::string> masked;
    bool is_kept_out = false;
    if (Status judged = judge(relation, masked, is_kept_out); !judged.is_ok()) return judged;
    warn_of_key(relation);
    if (known == tables_.end()) {
      tables_[relation.oid].masked = std::move(masked);
      remember(relation, true);
      continue;
    }
    // What is remembered stays the layout that the stream goes on from.
    RememberedTable& table = known->second;
    table.masked.merge(masked);
    table.is_kept_out = table.is_kept_out || is_kept_out;
    table.is_excluded = table.is_excluded || !selection_->excluded_by(name_of(relation)).empty();
    for (const Column& column : relation.columns) {
      if (!selection_->hidden_by(name_of(relation), column.name).empty()) table.hidden.insert(column.name);
      if (is_open(column) && relation.is_wanted) table.shown[name_of(relation)].insert(column.name);
    }
  }
  return Status::ok();
}

// Rules may have changed since: one that was taken away hides nothing, but in rows that still come under a name that
// the table has no more.
void RuleMemory::take_over(RememberedTable& table, const Relation* now) {
  std::erase_if(table.hidden, [&](const std::string& column) {
    if (table.masked.contains(column) || !selection_->hidden_by(table.name, column).empty()) return false;
    if (now == nullptr || find_column(*now, column) != nullptr) return true;
    logger_.warning(
        "relation {}: no rule hides the column {} any more, which was renamed or dropped; in older rows it "
        "is masked all the same",
        table.name.to_string(), column);
    table.masked.insert(column);
    return false;
  });
  table.is_excluded = !selection_->excluded_by(table.name).empty();
  if (on_lost_rule_ != OnLostRule::kContinue) return;
  for (const std::string& column : table.masked) table.hidden.erase(column);
  table.masked.clear();
  table.is_kept_out = false;
}

Status RuleMemory::apply(Relation& relation) {
  selection_->apply(relation);
  const std::lock_guard lock(mutex_);
  if (!hides_by_name_ && tables_.empty()) {
    warn_of_key(relation);
    return Status::ok();
  }
  if (const auto known = tables_.find(relation.oid); known != tables_.end()) hide_remembered(known->second, relation);
  std::set<std::string> masked;
  bool is_kept_out = false;
  if (Status judged = judge(relation, masked, is_kept_out); !judged.is_ok()) return judged;
  RememberedTable& table = tables_[relation.oid];
  table.masked.merge(masked);
  table.is_kept_out = table.is_kept_out || is_kept_out;
  remember(relation, false);
  warn_of_key(relation);
  return Status::ok();
}

void RuleMemory::hide_remembered(const RememberedTable& table, Relation& relation) const {
  if (table.is_kept_out) relation.is_wanted = false;
  for (Column& column : relation.columns) {
    if (is_open(column) && table.masked.contains(column.name)) column.rule = mask();
  }
}

// The relation against what it was itself, and against the table that bore its name.
Status RuleMemory::judge(Relation& relation, std::set<std::string>& masked, bool& is_kept_out) const {
  if (!relation.is_wanted) return Status::ok();
  const auto known = tables_.find(relation.oid);
  if (known != tables_.end()) {
    const Loss loss = loss_of(known->second, relation);
    if (Status survived = survive(loss, known->second, relation, masked, is_kept_out); !survived.is_ok())
      return survived;
    if (known->second.shown.contains(name_of(relation))) return Status::ok();
  }
  const RememberedTable* namesake = namesake_of(relation);
  if (namesake == nullptr) return Status::ok();
  return survive(loss_of(*namesake, relation), *namesake, relation, masked, is_kept_out);
}

const RememberedTable* RuleMemory::namesake_of(const Relation& relation) const {
  const TableName name = name_of(relation);
  const auto found = std::find_if(tables_.begin(), tables_.end(), [&](const auto& entry) {
    return entry.first != relation.oid && entry.second.name == name && !entry.second.hidden.empty();
  });
  return found == tables_.end() ? nullptr : &found->second;
}

RuleMemory::Loss RuleMemory::loss_of(const RememberedTable& before, const Relation& relation) const {
  Loss loss;
  const TableName name = name_of(relation);
  loss.is_table = before.is_excluded && !before.shown.contains(name);
  std::set<std::string> missing;
  for (const std::string& hidden : before.hidden) {
    const Column* column = find_column(relation, hidden);
    if (column == nullptr) {
      missing.insert(hidden);
    } else if (is_open(*column) && !has_shown(before, name, hidden)) {
      loss.lost.insert(hidden);
      loss.uncovered.insert(hidden);
    }
  }
  for (const Column& column : relation.columns) {
    if (missing.empty() || !is_open(column) || knows(before, column.name)) continue;
    loss.uncovered.insert(column.name);
    loss.lost.insert(missing.begin(), missing.end());
  }
  if (before.oid == relation.oid) find_moved(before, relation, loss);
  if (loss.is_none()) loss.gone = std::move(missing);
  return loss;
}

// Names that were exchanged show in the order of the columns alone.
void RuleMemory::find_moved(const RememberedTable& before, const Relation& relation, Loss& loss) const {
  const std::vector<std::string> names = names_of(relation.columns);
  if (before.hidden.empty() || names == before.columns) return;
  const auto uncovers = [&](std::size_t i, std::size_t j) {
    const std::string& hidden = before.columns[i];
    if (!before.hidden.contains(hidden) || hidden == names[j] || !is_open(relation.columns[j])) return false;
    // One whose name is gone counts as lost where something new is there.
    if (find_column(relation, hidden) == nullptr) return false;
    const bool was_there = std::find(before.columns.begin(), before.columns.end(), names[j]) != before.columns.end();
    return was_there || !knows(before, names[j]);
  };
  const auto successors = selection::likeliest_successors(before.columns, names, uncovers);
  for (std::size_t i = 0; i < successors.size(); ++i) {
    if (successors[i] == selection::kNoColumn || !uncovers(i, successors[i])) continue;
    loss.lost.insert(before.columns[i]);
    loss.uncovered.insert(names[successors[i]]);
  }
}

std::string RuleMemory::rule_of(const RememberedTable& table, const std::string& column) const {
  const std::string rule = selection_->hidden_by(table.name, column);
  return rule.empty() ? "on_lost_rule" : rule;
}

Status RuleMemory::survive(const Loss& loss, const RememberedTable& before, Relation& relation,
                           std::set<std::string>& masked, bool& is_kept_out) const {
  const std::string table = name_of(relation).to_string();
  for (const std::string& column : loss.gone) {
    if (before.is_from_catalog) break;  // The catalog knows columns that are not published, too.
    logger_.warning("relation {}: the column {}, which {} names, is gone", table, column, rule_of(before, column));
  }
  if (loss.is_none()) return Status::ok();
  std::string what;
  if (loss.is_table) {
    what = fmt::format("relation {} ({}) was {}, which {} leaves out; no rule leaves it out under its new name", table,
                       relation.oid, before.name.to_string(), selection_->excluded_by(before.name));
  } else {
    std::string lost;
    for (const std::string& column : loss.lost) {
      lost +=
          fmt::format("{}{} ({})", lost.empty() ? "" : ", ", full_name(before.name, column), rule_of(before, column));
    }
    what = fmt::format("relation {} ({}): what was hidden as {} may now be {}, which no rule hides", table,
                       relation.oid, lost, fmt::join(loss.uncovered, ", "));
  }
  switch (on_lost_rule_) {
    case OnLostRule::kStop: return {StatusCode::kRefused, fmt::format("{}; {}", what, kWaysOut)};
    case OnLostRule::kContinue: logger_.warning("{}; printing it (on_lost_rule: continue)", what); break;
    case OnLostRule::kMask:
      logger_.warning("{}; {} (on_lost_rule: mask)", what, loss.is_table ? "leaving it out" : "masking it");
      if (loss.is_table) relation.is_wanted = false;
      is_kept_out = is_kept_out || loss.is_table;
      for (Column& column : relation.columns) {
        if (!loss.uncovered.contains(column.name)) continue;
        column.rule = mask();
        masked.insert(column.name);
      }
  }
  return Status::ok();
}

void RuleMemory::remember(const Relation& relation, bool is_from_catalog) {
  RememberedTable& table = tables_[relation.oid];
  // What the catalog said may be ahead of the stream, and then it vouches for no column.
  if (table.is_from_catalog) table.shown.clear();
  const TableName name = name_of(relation);
  // What is not printed uncovers nothing; what it hid when it was still counts.
  if (!relation.is_wanted && !table.shown.empty()) {
    table.is_excluded = table.is_excluded || !selection_->excluded_by(name).empty();
    return;
  }
  for (const std::string& column : table.hidden) {
    if (find_column(relation, column) == nullptr || table.name != name)
      table.former.insert(full_name(table.name, column));
  }
  if (table.is_excluded && table.name != name) table.former.insert(full_name(table.name));
  table.oid = relation.oid;
  table.name = name;
  table.columns = names_of(relation.columns);
  table.is_from_catalog = is_from_catalog;
  table.is_excluded = !selection_->excluded_by(name).empty();
  table.hidden.clear();
  if (relation.is_wanted) table.shown[name];
  for (const Column& column : relation.columns) {
    const bool is_masked = table.masked.contains(column.name);
    if (is_masked || !selection_->hidden_by(name, column.name).empty()) table.hidden.insert(column.name);
    if (is_open(column) && relation.is_wanted) table.shown[name].insert(column.name);
  }
}

// Once a column: the relation is described again and again.
void RuleMemory::warn_of_key(const Relation& relation) {
  if (!warns_of_keys_ || !relation.is_wanted) return;
  for (const std::size_t position : relation.key) {
    const Column& column = relation.columns[position];
    const char* hidden = what_hides(column.rule.action);
    if (hidden == nullptr || !warned_keys_.emplace(relation.oid, column.name).second) continue;
    std::string rule = selection_->hidden_by(name_of(relation), column.name);
    if (rule.empty()) rule = column.rule.action == Action::kOmit ? "include_columns" : "on_lost_rule";
    const char* what_follows = column.rule.action == Action::kOmit
                                   ? "the key is made of what is left, and where nothing is left, it is null and "
                                     "deletes have no tombstones"
                                   : "different rows get the same key";
    logger_.warning(
        "relation {}: the column {} is part of the key and {} ({}): {}; hint: hash_columns keeps keys apart, "
        "key_columns chooses other columns",
        name_of(relation).to_string(), column.name, hidden, rule, what_follows);
  }
}

std::vector<std::string> RuleMemory::former_names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [oid, table] : tables_) {
    for (const std::string& column : table.hidden) names.push_back(full_name(table.name, column));
    if (table.is_excluded) names.push_back(full_name(table.name));
    names.insert(names.end(), table.former.begin(), table.former.end());
  }
  return names;
}

std::vector<RememberedTable> RuleMemory::tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<RememberedTable> tables;
  for (const auto& [oid, table] : tables_) {
    const bool is_plain = table.hidden.empty() && table.masked.empty() && table.former.empty() && !table.is_excluded &&
                          !table.is_kept_out;
    if (!is_plain) tables.push_back(table);
  }
  return tables;
}

}  // namespace walcat
