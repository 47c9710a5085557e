#include "walcat/selection/selection.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "alternatives.h"
#include "walcat/base/utf8.h"
#include "walcat/selection/digest.h"

namespace walcat {

namespace {

// A compiled pattern and the key of the configuration it came from.
struct Pattern {
  std::string_view key;
  std::unique_ptr<const RE2> regex;

  bool matches(const std::string& name) const { return RE2::FullMatch(name, *regex); }
  bool matches_any(const std::vector<std::string>& names) const {
    return std::any_of(names.begin(), names.end(), [this](const std::string& name) { return matches(name); });
  }
  std::string displayed() const { return fmt::format("{} \"{}\"", key, regex->pattern()); }
};

std::unique_ptr<const RE2> compiled(const std::string& text) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_never_capture(true);
  // A name may hold a line feed, and `.*` must not let it slip through an exclusion.
  options.set_dot_nl(true);
  return std::make_unique<const RE2>(text, options);
}

// What of the pattern matches none of `names`: all of it, or some of its alternatives.
void note_idle(const Pattern& pattern, const std::vector<std::string>& names, std::vector<std::string>& idle) {
  if (!pattern.matches_any(names)) return idle.push_back(pattern.displayed());
  for (const std::string& text : selection::single_alternatives(pattern.regex->pattern())) {
    const Pattern alternative{pattern.key, compiled(text)};
    if (!alternative.regex->ok() || alternative.matches_any(names)) continue;
    idle.push_back(fmt::format("{} with the alternative \"{}\"", pattern.displayed(), text));
  }
}

using PatternList = std::vector<Pattern>;

// A pattern over columns and what becomes of those that it matches.
struct RulePattern {
  Pattern columns;
  ColumnRule rule;
};

ColumnRule rule(ColumnRule::Action action) {
  ColumnRule rule;
  rule.action = action;
  return rule;
}

// Compiles pattern by pattern and gathers what is wrong with them.
class Compiler {
 public:
  Pattern pattern(std::string_view key, const std::string& text) {
    Pattern pattern{key, compiled(text)};
    if (!pattern.regex->ok()) faults_.push_back(fmt::format("{}: {}", pattern.displayed(), pattern.regex->error()));
    return pattern;
  }

  PatternList patterns(std::string_view key, const std::vector<std::string>& texts) {
    PatternList list;
    for (const std::string& text : texts) list.push_back(pattern(key, text));
    return list;
  }

  // The rules of all kinds, the one that shows least first.
  std::vector<RulePattern> rules(const SelectionOptions& options) {
    std::vector<RulePattern> rules;
    for (const auto& [columns, with] : options.mask_columns) {
      rules.push_back({pattern("mask_columns", columns), rule(ColumnRule::Action::kMask)});
      rules.back().rule.mask = with;
    }
    for (const auto& [columns, algorithm, salt] : options.hash_columns) {
      rules.push_back({pattern("hash_columns", columns), rule(ColumnRule::Action::kHash)});
      rules.back().rule.digest = algorithm;
      rules.back().rule.salt = salt;
      check_digest(rules.back().columns, algorithm);
    }
    for (const auto& [columns, length] : options.truncate_columns) {
      rules.push_back({pattern("truncate_columns", columns), rule(ColumnRule::Action::kTruncate)});
      rules.back().rule.length = length;
    }
    return rules;
  }

  Status status() const {
    if (faults_.empty()) return Status::ok();
    return {StatusCode::kConfiguration, fmt::format("{}", fmt::join(faults_, "; "))};
  }

 private:
  void check_digest(const Pattern& columns, ColumnRule::Digest digest) {
    if (selection::is_available(digest)) return;
    faults_.push_back(columns.displayed() + ": libcrypto refuses the algorithm on this machine; take another");
  }

  std::vector<std::string> faults_;
};

bool matches(const PatternList& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const Pattern& pattern) { return pattern.matches(name); });
}

bool is_chosen(const PatternList& include, const PatternList& exclude, const std::string& name) {
  return (include.empty() || matches(include, name)) && !matches(exclude, name);
}

std::string first_match(const PatternList& patterns, const std::string& name) {
  for (const Pattern& pattern : patterns) {
    if (pattern.matches(name)) return pattern.displayed();
  }
  return {};
}

// What patterns are matched with: `schema.table`, and with that as `outer` `schema.table.column`.
std::string full_name(const std::string& outer, const std::string& inner) {
  return with_replacements(outer + "." + inner);
}

std::vector<std::size_t> positions_of(const std::vector<std::string>& names, const std::vector<Column>& columns) {
  std::vector<std::size_t> positions;
  for (const std::string& name : names) {
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == name; });
    if (found != columns.end()) positions.push_back(static_cast<std::size_t>(found - columns.begin()));
  }
  return positions;
}

// What of the configured key `columns` of `table` is not published.
void note_idle_key(const TableName& table, const std::vector<std::string>& columns,
                   const std::vector<PublishedTable>& published, std::vector<std::string>& idle) {
  const auto found = std::find_if(published.begin(), published.end(), [&](const PublishedTable& candidate) {
    return candidate.schema == table.schema && candidate.table == table.table;
  });
  if (found == published.end()) return idle.push_back("key_columns " + table.to_string());
  for (const std::string& column : columns) {
    if (std::find(found->columns.begin(), found->columns.end(), column) != found->columns.end()) continue;
    idle.push_back(fmt::format("key_columns {}: column \"{}\"", table.to_string(), column));
  }
}

}  // namespace

struct Selection::Patterns {
  PatternList include_tables;
  PatternList exclude_tables;
  PatternList include_columns;
  PatternList exclude_columns;
  std::vector<RulePattern> rules;
  std::map<TableName, std::vector<std::string>> key_columns;
  bool skip_unchanged = false;

  ColumnRule rule_of(const std::string& column_name) const {
    if (!is_chosen(include_columns, exclude_columns, column_name)) return rule(ColumnRule::Action::kOmit);
    for (const RulePattern& candidate : rules) {
      if (candidate.columns.matches(column_name)) return candidate.rule;
    }
    return {};
  }

  // Every pattern that matches none of the names it is for, in the order of the configuration.
  std::vector<std::string> idle(const std::vector<std::string>& tables, const std::vector<std::string>& columns) const {
    std::vector<std::string> idle;
    const auto note = [&](const Pattern& pattern, const std::vector<std::string>& names) {
      note_idle(pattern, names, idle);
    };
    for (const Pattern& pattern : include_tables) note(pattern, tables);
    for (const Pattern& pattern : exclude_tables) note(pattern, tables);
    for (const Pattern& pattern : include_columns) note(pattern, columns);
    for (const Pattern& pattern : exclude_columns) note(pattern, columns);
    for (const RulePattern& candidate : rules) note(candidate.columns, columns);
    return idle;
  }
};

Status check_pattern(const std::string& pattern) {
  const auto regex = compiled(pattern);
  return regex->ok() ? Status::ok() : Status(StatusCode::kConfiguration, regex->error());
}

std::string pattern_of(const TableName& table) { return re2::RE2::QuoteMeta(table.schema + "." + table.table); }

Selection::Selection() : patterns_(std::make_unique<const Patterns>()) {}
Selection::~Selection() = default;

Result<std::shared_ptr<const Selection>> Selection::compile(const SelectionOptions& options,
                                                            const std::vector<TableName>& tables) {
  Compiler compiler;
  auto patterns = std::make_unique<Patterns>();
  patterns->include_tables = compiler.patterns("include_tables", options.include_tables);
  patterns->exclude_tables = compiler.patterns("exclude_tables", options.exclude_tables);
  patterns->include_columns = compiler.patterns("include_columns", options.include_columns);
  patterns->exclude_columns = compiler.patterns("exclude_columns", options.exclude_columns);
  patterns->rules = compiler.rules(options);
  patterns->key_columns = options.key_columns;
  patterns->skip_unchanged = options.skip_unchanged;
  if (Status status = compiler.status(); !status.is_ok()) return status;
  auto selection = std::make_shared<Selection>();
  selection->patterns_ = std::move(patterns);
  selection->listed_ = {tables.begin(), tables.end()};
  return std::shared_ptr<const Selection>(std::move(selection));
}

void Selection::apply(Relation& relation) const {
  const std::string table_name = full_name(relation.schema, relation.name);
  relation.is_wanted = wants(relation.oid, {relation.schema, relation.name});
  for (Column& column : relation.columns) column.rule = patterns_->rule_of(full_name(table_name, column.name));
  const auto key = patterns_->key_columns.find({relation.schema, relation.name});
  if (key != patterns_->key_columns.end()) relation.key = positions_of(key->second, relation.columns);
}

bool Selection::wants(std::uint32_t oid, const TableName& name) const {
  const bool is_listed = !has_list() || lists(name) || follows(oid);
  return is_listed &&
         is_chosen(patterns_->include_tables, patterns_->exclude_tables, full_name(name.schema, name.table));
}

bool Selection::has_list() const { return !listed_.empty(); }
bool Selection::lists(const TableName& table) const { return listed_.contains(table); }

void Selection::follow(std::uint32_t oid) const {
  const std::unique_lock lock(mutex_);
  followed_.insert(oid);
}

bool Selection::follows(std::uint32_t oid) const {
  const std::shared_lock lock(mutex_);
  return followed_.contains(oid);
}

void Selection::forget_followed() const {
  const std::unique_lock lock(mutex_);
  followed_.clear();
}

bool Selection::skip_unchanged() const { return patterns_->skip_unchanged; }

std::string Selection::hidden_by(const TableName& table, const std::string& column) const {
  const std::string name = full_name(full_name(table.schema, table.table), column);
  if (std::string excluded = first_match(patterns_->exclude_columns, name); !excluded.empty()) return excluded;
  for (const RulePattern& rule : patterns_->rules) {
    if (rule.columns.matches(name)) return rule.columns.displayed();
  }
  return {};
}

std::string Selection::excluded_by(const TableName& table) const {
  return first_match(patterns_->exclude_tables, full_name(table.schema, table.table));
}

bool Selection::hides_by_name() const {
  return !patterns_->exclude_tables.empty() || !patterns_->exclude_columns.empty() || !patterns_->rules.empty();
}

Status Selection::check(const std::vector<PublishedTable>& published, const std::vector<std::string>& former) const {
  std::vector<std::string> tables;
  std::vector<std::string> columns;
  for (const PublishedTable& table : published) {
    tables.push_back(full_name(table.schema, table.table));
    for (const std::string& column : table.columns) columns.push_back(full_name(tables.back(), column));
  }
  for (const std::string& name : former) {
    tables.push_back(with_replacements(name));
    columns.push_back(tables.back());
  }
  std::vector<std::string> idle = patterns_->idle(tables, columns);
  for (const auto& [table, key] : patterns_->key_columns) note_idle_key(table, key, published, idle);
  if (idle.empty()) return Status::ok();
  return {StatusCode::kConfiguration,
          fmt::format("nothing that is published matches {}; a pattern matches the whole of schema.table or "
                      "schema.table.column",
                      fmt::join(idle, ", "))};
}

}  // namespace walcat
