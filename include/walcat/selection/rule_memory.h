#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/relation.h"
#include "walcat/model/remembered_table.h"
#include "walcat/selection/physical_parts.h"
#include "walcat/selection/selection.h"

namespace walcat {

namespace selection {
struct RuleLoss;
}

/// What is done where a column, or a table, that a rule hid by its name may come under another name
/// (`on_lost_rule`).
enum class OnLostRule {
  kStop,      ///< The database is stopped, with the reason.
  kMask,      ///< Columns that are new in the table are masked, a table that was excluded stays so.
  kContinue,  ///< They are printed, with a warning.
};

/// Rows that are about to be printed.
struct RowsAhead {
  /// That of the change in the stream; nothing where rows are read in the layout of the catalog, which the stream may
  /// be behind.
  std::optional<ChangePlace> place = {};
  /// OIDs of the physical tables that they are of. Empty: all that the relation has had count.
  std::vector<std::uint32_t> parts = {};
};

/// A column that a rule hides, or hid.
struct HiddenColumn {
  std::uint32_t table_oid = 0;
  /// Column::number.
  std::int16_t number = 0;
  std::string name;

  bool operator==(const HiddenColumn&) const = default;
};

/// A database's selection, and what its rules have hidden so far, so that a rename uncovers nothing.
///
/// Rules go by names, and PostgreSQL's tables by OIDs: a column that a rule hid may be renamed, and so may its table.
/// Before rows of a table are printed in a layout (its name, and its columns in their order), that is compared with the
/// layout before. That a layout was printed once vouches for it only where the stream repeats itself, as it does after
/// a reconnect: further on the same names may be other columns'. Rows of a partition come under its own name or under
/// that of a table above it, as the publication says and as it is attached: so a relation is compared as well with each
/// other one that has had the same physical table.
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
  /// `position`: where the server's log ended before they were described.
  /// Errors: kRefused where a rule is lost, with OnLostRule::kStop; naming table, columns and rule.
  Status compare(const std::vector<Relation>& published, Lsn position = Lsn{});

  /// Selection::apply() to a relation, and whatever a lost rule demands, before `rows` of it are printed.
  ///
  /// Errors: kRefused as above: nothing of the relation may be printed.
  Status apply(Relation& relation, const RowsAhead& rows);

  /// Rows of the physical tables `parts` come as those of the relation `whole`, or may: what is hidden in one relation
  /// is looked for in each other that has had a part of it.
  void learn_parts(std::uint32_t whole, const std::vector<std::uint32_t>& parts);

  /// Hidden columns that have gone from a table's layout, and may have been dropped, or be in the table still under
  /// this name or another one.
  std::vector<HiddenColumn> missing_columns() const;
  /// The column was dropped before `position` in the server's log: what comes behind that with a new name is another
  /// one.
  void note_dropped(const HiddenColumn& column, Lsn position);

  /// Names of columns (schema.table.column) and tables (schema.table) that were hidden once and may be there no longer.
  std::vector<std::string> former_names() const;

  /// What is worth to be remembered by the next run.
  std::vector<RememberedTable> tables() const;

 private:
  struct Verdict;
  // A look at the catalog ahead of the stream.
  struct Look {
    // The table's layout as it was known before, and what was hidden in it.
    RememberedTable before;
    // Of the server's log, when the look was made.
    Lsn position;
  };

  void take_over(RememberedTable& table, const std::map<std::uint32_t, const Relation*>& published);
  bool is_handed_on(const RememberedTable& table, const std::string& column,
                    const std::map<std::uint32_t, const Relation*>& published) const;
  void forget(std::vector<const RememberedTable*> gone);
  void hide_remembered(const RememberedTable& table, Relation& relation) const;
  // Whether there is nothing that a rename could uncover, now or later: include_tables hides no column of a table.
  bool remembers_nothing() const { return !hides_by_name_ && tables_.empty(); }
  void note_name(std::uint32_t oid, const TableName& before, const TableName& now);
  const RememberedTable* namesake_of(const Relation& relation) const;
  std::string rule_of(const RememberedTable& table, const std::string& column) const;
  Status judge(Relation& relation, const RowsAhead& rows, Lsn looked_at = Lsn{UINT64_MAX});
  void go_back(std::uint32_t oid, const ChangePlace& place);
  Status pass(Relation& relation, const RowsAhead& rows, Verdict& verdict) const;
  Status survive(selection::RuleLoss loss, const RememberedTable& before, Relation& relation, Verdict& verdict) const;
  std::string describe(const selection::RuleLoss& loss, const RememberedTable& before, const Relation& relation) const;
  void remember(RememberedTable& table, const Relation& relation, const ChangePlace& place) const;
  void take_layout(RememberedTable& table, const Relation& relation, const std::set<std::string>& dropped) const;
  void find_dropped(RememberedTable& table, const Relation& relation, Lsn position) const;
  void take_numbers(RememberedTable& table, const Relation& relation) const;
  void warn_of_key(const Relation& relation);

  const std::shared_ptr<const Selection> selection_;
  const OnLostRule on_lost_rule_;
  const bool warns_of_keys_;
  const log::Logger logger_;
  const bool hides_by_name_;

  mutable std::mutex mutex_;
  // Guarded by mutex_: by OID, without their parts; their OIDs by the names of their layouts; the parts; and the key
  // columns that were warned of.
  std::map<std::uint32_t, RememberedTable> tables_;
  std::map<TableName, std::set<std::uint32_t>> oids_by_name_;
  PhysicalParts parts_;
  // By OID, of tables that no change has come of since.
  std::map<std::uint32_t, Look> looks_;
  std::set<std::pair<std::uint32_t, std::string>> warned_keys_;
};

}  // namespace walcat
