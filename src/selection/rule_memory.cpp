#include "walcat/selection/rule_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "rule_loss.h"

namespace walcat {

namespace {

using Action = ColumnRule::Action;
using selection::find_column;
using selection::is_open;
using selection::layout_of;
using selection::loss_of;
using selection::RuleLoss;

constexpr const char* kWaysOut =
    "hint: let a rule match the new names beside the old ones, under which older rows still come; or on_lost_rule: "
    "mask hides what is new; or, if it may be seen, on_lost_rule: continue";
// Tables that are published no longer, of which more than that are not worth to be remembered.
constexpr std::size_t kGoneMost = 1000;
// Layouts of a table. Where the stream repeats itself in an older one, that is judged as if it were new.
constexpr std::size_t kPrintedMost = 64;

TableName name_of(const Relation& relation) { return {relation.schema, relation.name}; }

std::string full_name(const TableName& table) { return table.schema + "." + table.table; }
std::string full_name(const TableName& table, const std::string& column) { return full_name(table) + "." + column; }

bool has_column(const TableLayout& layout, const std::string& name) {
  return std::find(layout.columns.begin(), layout.columns.end(), name) != layout.columns.end();
}

// Hidden columns that are known to be gone where a change is, or where rows are read.
std::set<std::string> dropped_before(const RememberedTable& table, const std::optional<ChangePlace>& place) {
  std::set<std::string> names;
  for (const auto& [name, position] : table.dropped) {
    if (!place || place->commit_lsn > position) names.insert(name);
  }
  return names;
}

// Whether rows were printed under this name.
bool was_printed_as(const RememberedTable& table, const TableName& name) {
  return std::any_of(table.printed.begin(), table.printed.end(),
                     [&](const TableLayout& layout) { return layout.name == name; });
}

// Whether the stream repeats what it has brought before, and what was judged then.
bool is_repetition(const RememberedTable& table, const Relation& relation, const ChangePlace& place) {
  if (table.is_from_catalog || place > table.until) return false;
  return std::find(table.printed.begin(), table.printed.end(), layout_of(relation)) != table.printed.end();
}

// The layout becomes the newest.
void note_printed(RememberedTable& table, TableLayout layout) {
  std::erase(table.printed, layout);
  table.printed.push_back(std::move(layout));
  if (table.printed.size() > kPrintedMost) table.printed.erase(table.printed.begin());
}

// The layout and what is hidden in it, without what was decided of the table.
void take_known(RememberedTable& table, const RememberedTable& before) {
  table.layout = before.layout;
  table.hidden = before.hidden;
  table.is_excluded = before.is_excluded;
}

bool hides_nothing(const RememberedTable& table) {
  return table.hidden.empty() && table.masked.empty() && table.let_through.empty() && table.former.empty() &&
         !table.is_excluded && !table.is_kept_out && !table.is_let_through;
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

// What is done about a relation's losses, and what was decided before.
struct RuleMemory::Verdict {
  std::set<std::string> masked;
  std::set<std::string> let_through;
  bool is_kept_out = false;
  bool is_let_through = false;
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
  tables_.clear();
  oids_by_name_.clear();
  parts_ = {};
  looks_.clear();
  for (const RememberedTable& table : tables) {
    for (const std::uint32_t part : table.parts) parts_.learn(table.oid, part);
    tables_.emplace(table.oid, table).first->second.parts.clear();
    oids_by_name_[table.layout.name].insert(table.oid);
  }
}

void RuleMemory::learn_parts(std::uint32_t whole, const std::vector<std::uint32_t>& parts) {
  const std::lock_guard lock(mutex_);
  for (const std::uint32_t part : parts) parts_.learn(whole, part);
}

Status RuleMemory::compare(const std::vector<Relation>& published, Lsn position) {
  const std::lock_guard lock(mutex_);
  if (remembers_nothing()) {
    for (const Relation& described : published) {
      Relation relation = described;
      selection_->apply(relation);
      warn_of_key(relation);
    }
    return Status::ok();
  }
  std::map<std::uint32_t, const Relation*> by_oid;
  for (const Relation& relation : published) by_oid.emplace(relation.oid, &relation);
  std::vector<const RememberedTable*> gone;
  for (auto& [oid, table] : tables_) {
    take_over(table, by_oid);
    if (!by_oid.contains(oid)) gone.push_back(&table);
  }
  forget(std::move(gone));
  for (const Relation& described : published) {
    Relation relation = described;
    selection_->apply(relation);
    if (const auto known = tables_.find(relation.oid); known != tables_.end())
      find_dropped(known->second, relation, position);
    if (Status judged = judge(relation, {}, position); !judged.is_ok()) return judged;
    take_numbers(tables_.at(relation.oid), relation);
    warn_of_key(relation);
  }
  return Status::ok();
}

// `relation` has all columns of the table as it is at `position`, with their numbers.
void RuleMemory::find_dropped(RememberedTable& table, const Relation& relation, Lsn position) const {
  const auto has = [&](std::int16_t number) {
    return std::any_of(relation.columns.begin(), relation.columns.end(),
                       [&](const Column& column) { return column.number == number; });
  };
  for (const auto& [number, name] : table.numbers) {
    if (table.hidden.contains(name) && !has(number)) table.dropped.emplace(name, position);
  }
  for (const Column& column : relation.columns) table.dropped.erase(column.name);
}

// Of what is hidden in such a relation; those of dropped columns stay as long as these are remembered.
void RuleMemory::take_numbers(RememberedTable& table, const Relation& relation) const {
  std::erase_if(table.numbers, [&](const auto& column) { return !table.dropped.contains(column.second); });
  for (const Column& column : relation.columns) {
    const bool is_hidden =
        table.masked.contains(column.name) || !selection_->hidden_by(name_of(relation), column.name).empty();
    if (is_hidden && column.number != 0) table.numbers.insert_or_assign(column.number, column.name);
  }
}

std::vector<HiddenColumn> RuleMemory::missing_columns() const {
  const std::lock_guard lock(mutex_);
  std::vector<HiddenColumn> missing;
  for (const auto& [oid, table] : tables_) {
    for (const auto& [number, name] : table.numbers) {
      const bool is_missing = table.hidden.contains(name) && !has_column(table.layout, name);
      if (is_missing && !table.dropped.contains(name)) missing.push_back({oid, number, name});
    }
  }
  return missing;
}

void RuleMemory::note_dropped(const HiddenColumn& column, Lsn position) {
  const std::lock_guard lock(mutex_);
  const auto known = tables_.find(column.table_oid);
  if (known == tables_.end() || !known->second.dropped.emplace(column.name, position).second) return;
  logger_.debug("the hidden column {} was dropped before {}", full_name(known->second.layout.name, column.name),
                position.to_string());
}

// Tables that are published no longer: of too many, those that have not changed for the longest time.
void RuleMemory::forget(std::vector<const RememberedTable*> gone) {
  std::erase_if(gone, [](const RememberedTable* table) { return hides_nothing(*table); });
  if (gone.size() <= kGoneMost) return;
  const auto last = gone.end() - static_cast<std::ptrdiff_t>(kGoneMost);
  std::nth_element(gone.begin(), last, gone.end(),
                   [](const auto* one, const auto* other) { return one->until < other->until; });
  logger_.warning(
      "{} tables that rules hide are published no longer, {} among them: they are forgotten, and if they come back "
      "under another name, that is not noticed",
      last - gone.begin(), gone.front()->layout.name.to_string());
  for (auto table = gone.begin(); table != last; ++table) {
    const std::uint32_t oid = (*table)->oid;
    note_name(oid, (*table)->layout.name, {});
    tables_.erase(oid);
  }
}

// Rules may have changed since: one that was taken away hides nothing, but in rows that still come under a name that
// the table has no more.
void RuleMemory::take_over(RememberedTable& table, const std::map<std::uint32_t, const Relation*>& published) {
  const auto now = published.find(table.oid);
  std::erase_if(table.hidden, [&](const std::string& column) {
    if (table.masked.contains(column) || !selection_->hidden_by(table.layout.name, column).empty()) return false;
    if (!has_column(table.layout, column)) return true;
    if (now == published.end() ? !is_handed_on(table, column, published) : find_column(*now->second, column) != nullptr)
      return true;
    logger_.warning(
        "relation {}: no rule hides the column {} any more, which has another name now, or none; in older rows it "
        "is masked all the same",
        table.layout.name.to_string(), column);
    table.masked.insert(column);
    return false;
  });
  table.is_excluded = !selection_->excluded_by(table.layout.name).empty();
  if (on_lost_rule_ != OnLostRule::kContinue) return;
  for (const std::string& column : table.masked) table.hidden.erase(column);
  table.masked.clear();
  table.is_kept_out = false;
}

// Whether a rule hides the column where rows of the table come now.
bool RuleMemory::is_handed_on(const RememberedTable& table, const std::string& column,
                              const std::map<std::uint32_t, const Relation*>& published) const {
  const auto others = parts_.others_of(table.oid, {});
  return std::any_of(others.begin(), others.end(), [&](std::uint32_t oid) {
    const auto other = published.find(oid);
    return other != published.end() && !selection_->hidden_by(name_of(*other->second), column).empty();
  });
}

Status RuleMemory::apply(Relation& relation, const RowsAhead& rows) {
  selection_->apply(relation);
  const std::lock_guard lock(mutex_);
  if (!remembers_nothing()) {
    if (Status judged = judge(relation, rows); !judged.is_ok()) return judged;
  }
  warn_of_key(relation);
  return Status::ok();
}

void RuleMemory::hide_remembered(const RememberedTable& table, Relation& relation) const {
  if (table.is_kept_out) relation.is_wanted = false;
  for (Column& column : relation.columns) {
    if (is_open(column) && table.masked.contains(column.name)) column.rule = mask();
  }
}

// What changed before the look at the catalog is judged by what was known before it.
void RuleMemory::go_back(std::uint32_t oid, const ChangePlace& place) {
  const auto look = looks_.find(oid);
  if (look == looks_.end()) return;
  if (place.commit_lsn <= look->second.position) {
    RememberedTable& table = tables_.at(oid);
    note_name(oid, table.layout.name, look->second.before.layout.name);
    take_known(table, look->second.before);
  }
  looks_.erase(look);
}

Status RuleMemory::judge(Relation& relation, const RowsAhead& rows, Lsn looked_at) {
  const std::optional<ChangePlace>& place = rows.place;
  if (place) go_back(relation.oid, *place);
  for (const std::uint32_t part : rows.parts) parts_.learn(relation.oid, part);
  const auto known = tables_.find(relation.oid);
  const bool is_new = known == tables_.end();
  Verdict verdict;
  if (!is_new) {
    hide_remembered(known->second, relation);
    if (place && is_repetition(known->second, relation, *place)) return Status::ok();
    verdict.let_through = known->second.let_through;
    verdict.is_let_through = known->second.is_let_through;
  }
  if (relation.is_wanted) {
    if (Status passed = pass(relation, rows, verdict); !passed.is_ok()) return passed;
  }
  RememberedTable& table = tables_[relation.oid];
  table.oid = relation.oid;
  table.masked.merge(verdict.masked);
  table.let_through = std::move(verdict.let_through);
  table.is_kept_out = table.is_kept_out || verdict.is_kept_out;
  table.is_let_through = verdict.is_let_through;
  const TableName name = table.layout.name;
  if (place) {
    remember(table, relation, *place);
  } else if (is_new || (table.is_from_catalog && relation.is_wanted)) {
    // Of others, the layout that the stream goes on from stays what is remembered.
    if (!is_new) looks_.emplace(relation.oid, Look{table, looked_at});
    take_layout(table, relation, dropped_before(table, place));
    table.is_from_catalog = true;
  }
  note_name(table.oid, name, table.layout.name);
  return Status::ok();
}

// Of a new table `before` is empty, and of one that is forgotten `now` is.
void RuleMemory::note_name(std::uint32_t oid, const TableName& before, const TableName& now) {
  if (before == now) return;
  if (const auto known = oids_by_name_.find(before); known != oids_by_name_.end()) {
    known->second.erase(oid);
    if (known->second.empty()) oids_by_name_.erase(known);
  }
  if (now != TableName{}) oids_by_name_[now].insert(oid);
}

// The relation against what it was itself, against the table that bore its name, and against those that have had its
// physical tables.
Status RuleMemory::pass(Relation& relation, const RowsAhead& rows, Verdict& verdict) const {
  std::vector<const RememberedTable*> others;
  const auto known = tables_.find(relation.oid);
  // A table that takes a name again under which it was printed is still the same table, unlike its columns.
  const bool has_its_name = known != tables_.end() && was_printed_as(known->second, name_of(relation));
  if (known != tables_.end()) others.push_back(&known->second);
  if (!has_its_name) {
    if (const RememberedTable* namesake = namesake_of(relation)) others.push_back(namesake);
  }
  for (const std::uint32_t oid : parts_.others_of(relation.oid, rows.parts)) {
    if (const auto akin = tables_.find(oid); akin != tables_.end()) others.push_back(&akin->second);
  }
  for (const RememberedTable* before : others) {
    RuleLoss loss = loss_of(*before, relation, dropped_before(*before, rows.place));
    loss.is_table = loss.is_table && !(has_its_name && before->oid == relation.oid);
    if (Status survived = survive(std::move(loss), *before, relation, verdict); !survived.is_ok()) return survived;
  }
  return Status::ok();
}

const RememberedTable* RuleMemory::namesake_of(const Relation& relation) const {
  const auto named = oids_by_name_.find(name_of(relation));
  if (named == oids_by_name_.end()) return nullptr;
  for (const std::uint32_t oid : named->second) {
    const RememberedTable& table = tables_.at(oid);
    if (oid != relation.oid && !table.hidden.empty()) return &table;
  }
  return nullptr;
}

std::string RuleMemory::rule_of(const RememberedTable& table, const std::string& column) const {
  const std::string rule = selection_->hidden_by(table.layout.name, column);
  return rule.empty() ? "on_lost_rule" : rule;
}

Status RuleMemory::survive(RuleLoss loss, const RememberedTable& before, Relation& relation, Verdict& verdict) const {
  const std::string table = name_of(relation).to_string();
  for (const std::string& column : loss.gone) {
    // The catalog knows columns that are not published, too; and another table keeps its own.
    if (before.is_from_catalog || (before.oid != relation.oid && before.layout.name != name_of(relation))) break;
    logger_.warning("relation {}: the column {}, which {} names, is gone", table, column, rule_of(before, column));
  }
  std::erase_if(loss.uncovered, [&](const std::string& column) { return verdict.let_through.contains(column); });
  loss.is_table = loss.is_table && !verdict.is_let_through;
  if (loss.is_none()) return Status::ok();
  const std::string what = describe(loss, before, relation);
  switch (on_lost_rule_) {
    case OnLostRule::kStop: return {StatusCode::kRefused, fmt::format("{}; {}", what, kWaysOut)};
    case OnLostRule::kContinue:
      logger_.warning("{}; printing it (on_lost_rule: continue)", what);
      verdict.let_through.merge(loss.uncovered);
      verdict.is_let_through = verdict.is_let_through || loss.is_table;
      break;
    case OnLostRule::kMask:
      logger_.warning("{}; {} (on_lost_rule: mask)", what, loss.is_table ? "leaving it out" : "masking it");
      if (loss.is_table) relation.is_wanted = false;
      verdict.is_kept_out = verdict.is_kept_out || loss.is_table;
      for (Column& column : relation.columns) {
        if (!loss.uncovered.contains(column.name)) continue;
        column.rule = mask();
        verdict.masked.insert(column.name);
      }
  }
  return Status::ok();
}

std::string RuleMemory::describe(const RuleLoss& loss, const RememberedTable& before, const Relation& relation) const {
  const std::string table = name_of(relation).to_string();
  if (loss.is_table) {
    const std::string rule = selection_->excluded_by(before.layout.name);
    return fmt::format("relation {} ({}) {} {}, which {} leaves out; no rule leaves it out under its new name", table,
                       relation.oid, before.oid == relation.oid ? "was" : "brings rows of",
                       before.layout.name.to_string(), rule.empty() ? "on_lost_rule" : rule);
  }
  std::string lost;
  for (const std::string& column : loss.lost) {
    lost += fmt::format("{}{} ({})", lost.empty() ? "" : ", ", full_name(before.layout.name, column),
                        rule_of(before, column));
  }
  return fmt::format("relation {} ({}): what was hidden as {} may now be {}, which no rule hides", table, relation.oid,
                     lost, fmt::join(loss.uncovered, ", "));
}

void RuleMemory::remember(RememberedTable& table, const Relation& relation, const ChangePlace& place) const {
  if (!table.is_from_catalog && place <= table.until) {
    if (relation.is_wanted && table.printed.size() < kPrintedMost)
      table.printed.insert(table.printed.begin(), layout_of(relation));
    return;
  }
  table.until = place;
  // What is not printed uncovers nothing; what it hid when it was still counts.
  if (!relation.is_wanted && !table.printed.empty()) {
    table.is_excluded = table.is_excluded || !selection_->excluded_by(name_of(relation)).empty();
    table.is_let_through = false;
    return;
  }
  // A name that is given up vouches for nobody who takes it.
  for (const std::string& column : table.layout.columns) {
    if (find_column(relation, column) == nullptr) table.let_through.erase(column);
  }
  const auto dropped = dropped_before(table, place);
  take_layout(table, relation, dropped);
  for (const std::string& column : dropped) {
    table.dropped.erase(column);
    std::erase_if(table.numbers, [&](const auto& hidden) { return hidden.second == column; });
  }
  table.is_from_catalog = false;
  if (relation.is_wanted) note_printed(table, table.layout);
}

void RuleMemory::take_layout(RememberedTable& table, const Relation& relation,
                             const std::set<std::string>& dropped) const {
  const TableName name = name_of(relation);
  const TableName& before = table.layout.name;
  for (const std::string& column : table.hidden) {
    if (find_column(relation, column) == nullptr || before != name) table.former.insert(full_name(before, column));
  }
  if (table.is_excluded && before != name) table.former.insert(full_name(before));
  const TableLayout last = std::exchange(table.layout, layout_of(relation));
  table.is_excluded = !selection_->excluded_by(name).empty();
  // A column that the publication leaves out looks as one that was dropped, and one that comes back renamed as a new
  // one: what was hidden is suspected until it is known to be gone, or something that is hidden has come for it. Of a
  // column without a number, that would never be known.
  std::set<std::string> missing;
  for (const auto& [number, column] : table.numbers) {
    const bool is_missing = table.hidden.contains(column) && find_column(relation, column) == nullptr;
    if (is_missing && !dropped.contains(column)) missing.insert(column);
  }
  std::size_t heirs = 0;
  table.hidden.clear();
  for (const Column& column : relation.columns) {
    const bool is_masked = table.masked.contains(column.name);
    if (!is_masked && selection_->hidden_by(name, column.name).empty()) continue;
    table.hidden.insert(column.name);
    if (!has_column(last, column.name)) ++heirs;
  }
  if (heirs < missing.size()) table.hidden.merge(missing);
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
    for (const std::string& column : table.hidden) names.push_back(full_name(table.layout.name, column));
    if (table.is_excluded) names.push_back(full_name(table.layout.name));
    names.insert(names.end(), table.former.begin(), table.former.end());
  }
  return names;
}

std::vector<RememberedTable> RuleMemory::tables() const {
  const std::lock_guard lock(mutex_);
  std::vector<RememberedTable> tables;
  for (const auto& [oid, known] : tables_) {
    const auto look = looks_.find(oid);
    if (look == looks_.end() && hides_nothing(known)) continue;
    RememberedTable table = known;
    // The next run goes on where the stream is, and not where the catalog was.
    if (look != looks_.end()) take_known(table, look->second.before);
    if (hides_nothing(table)) continue;
    table.parts = parts_.of(oid);
    tables.push_back(std::move(table));
  }
  return tables;
}

}  // namespace walcat
