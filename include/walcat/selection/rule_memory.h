#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/relation.h"
#include "walcat/model/remembered_table.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// What is done where a column, or a table, that a rule hid by its name may come under another name
/// (`on_lost_rule`).
enum class OnLostRule {
  kStop,      ///< The database is stopped, with the reason.
  kMask,      ///< Columns that are new in the table are masked, a table that was excluded stays so.
  kContinue,  ///< They are printed, with a warning.
};

/// A database's selection, and what its rules have hidden so far, so that a rename uncovers nothing.
///
/// Rules go by names, and PostgreSQL's tables by OIDs: a column that a rule hid may be renamed, and so may its table.
/// Each description of a table, from the stream or from the catalog, is compared with what is remembered of it.
/// Threads: thread-safe.
class RuleMemory {
 public:
  /// `warns_of_keys`: whether records bear keys, so that a hidden column of one is worth a warning.
  RuleMemory(std::shared_ptr<const Selection> selection, OnLostRule on_lost_rule, bool warns_of_keys,
             const log::Logger& logger);

  const Selection& selection() const { return *selection_; }

  /// Takes over what an earlier run remembered, in place of what is known of its tables.
  void recall(const std::vector<RememberedTable>& tables);

  /// Compares the published tables as the catalog describes them (names, columns, keys) with what is remembered, and
  /// remembers those that were not known. Once a start, before the stream.
  ///
  /// Errors: kRefused where a rule is lost, with OnLostRule::kStop; naming table, columns and rule.
  Status compare(const std::vector<Relation>& published);

  /// Selection::apply() to a relation that the stream or a snapshot describes, and whatever a lost rule demands.
  ///
  /// Errors: kRefused as above: nothing of the relation may be printed.
  Status apply(Relation& relation);

  /// Names of columns (schema.table.column) and tables (schema.table) that were hidden once and may be there no longer.
  std::vector<std::string> former_names() const;

  /// What is worth to be remembered by the next run.
  std::vector<RememberedTable> tables() const;

 private:
  struct Loss;

  void take_over(RememberedTable& table, const Relation* now);
  void hide_remembered(const RememberedTable& table, Relation& relation) const;
  Loss loss_of(const RememberedTable& before, const Relation& relation) const;
  void find_moved(const RememberedTable& before, const Relation& relation, Loss& loss) const;
  const RememberedTable* namesake_of(const Relation& relation) const;
  std::string rule_of(const RememberedTable& table, const std::string& column) const;
  Status judge(Relation& relation, std::set<std::string>& masked, bool& is_kept_out) const;
  Status survive(const Loss& loss, const RememberedTable& before, Relation& relation, std::set<std::string>& masked,
                 bool& is_kept_out) const;
  void remember(const Relation& relation, bool is_from_catalog);
  void warn_of_key(const Relation& relation);

  const std::shared_ptr<const Selection> selection_;
  const OnLostRule on_lost_rule_;
  const bool warns_of_keys_;
  const log::Logger logger_;
  const bool hides_by_name_;

  mutable std::mutex mutex_;
  // Guarded by mutex_: by OID; and the key columns that were warned of.
  std::map<std::uint32_t, RememberedTable> tables_;
  std::set<std::pair<std::uint32_t, std::string>> warned_keys_;
};

}  // namespace walcat
