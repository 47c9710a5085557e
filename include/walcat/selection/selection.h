#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/published_table.h"
#include "walcat/model/relation.h"
#include "walcat/model/table_name.h"

namespace walcat {

/// Which tables and columns of a database are printed, and how (keys of an entry of `databases`).
///
/// Patterns are RE2 regular expressions, anchored at both ends, over `schema.table` and `schema.table.column` as the
/// catalog stores the names: case kept, never quoted. A dot in a pattern matches any character, a line feed too, and a
/// byte of a name that is no UTF-8 counts as U+FFFD.
///
/// Every member has an initializer, so that a case or a caller may name the few that it sets.
struct SelectionOptions {
  struct MaskRule {
    std::string columns;
    std::string with = "***";
    bool operator==(const MaskRule&) const = default;
  };
  struct TruncateRule {
    std::string columns;
    std::size_t length = 0;
    bool operator==(const TruncateRule&) const = default;
  };
  struct HashRule {
    std::string columns;
    ColumnRule::Digest algorithm = ColumnRule::Digest::kSha256;
    std::string salt;
    bool operator==(const HashRule&) const = default;
  };

  /// Empty: all tables. Exclusion wins over inclusion.
  std::vector<std::string> include_tables = {};
  std::vector<std::string> exclude_tables = {};
  /// The same for columns. A table none of whose columns is left is printed with empty rows.
  std::vector<std::string> include_columns = {};
  std::vector<std::string> exclude_columns = {};
  /// A column that several rules match follows the one that shows least: mask, then hash, then truncate, and of rules
  /// of one kind the first. So a broad rule never uncovers what a narrow one hides.
  std::vector<MaskRule> mask_columns = {};
  std::vector<TruncateRule> truncate_columns = {};
  std::vector<HashRule> hash_columns = {};
  /// The columns that make a table's key, in the key's order, by their names in the catalog.
  std::map<TableName, std::vector<std::string>> key_columns = {};
  /// Updates that change no printed column are not printed. Needs the old row (REPLICA IDENTITY FULL).
  bool skip_unchanged = false;

  bool operator==(const SelectionOptions&) const = default;
};

/// Whether `pattern` is one.
///
/// Errors: kConfiguration with RE2's words.
Status check_pattern(const std::string& pattern);

/// The pattern that matches this one table.
std::string pattern_of(const TableName& table);

/// The compiled form of SelectionOptions, and of the tables that the configuration lists.
///
/// A listed table is wanted under its name. What else stands for it (a partition, a table that was renamed) is known by
/// OID, once somebody who asked the catalog says so.
/// Threads: thread-safe; immutable but for what is said of OIDs, which only grows.
class Selection {
 public:
  /// `tables`: those that the configuration lists; empty: all.
  ///
  /// Errors: kConfiguration naming each bad pattern and what is wrong with it, and each digest that libcrypto refuses.
  static Result<std::shared_ptr<const Selection>> compile(const SelectionOptions& options,
                                                          const std::vector<TableName>& tables = {});
  /// Selects everything.
  Selection();
  ~Selection();

  /// Writes the selection into `relation`: is_wanted, each column's rule, and the key if one is configured. Its OID
  /// tells what counts as listed; 0 if it is not known.
  ///
  /// A configured key replaces the one that is there; names in it that the relation has no column for are passed over.
  void apply(Relation& relation) const;

  /// Whether changes of the table are printed, as the one whose name they come under.
  bool wants(std::uint32_t oid, const TableName& name) const;

  /// Whether the configuration lists its tables.
  bool has_list() const;
  /// Whether it lists this one, by its name.
  bool lists(const TableName& table) const;
  /// The table counts as listed from here on, for whoever applies the selection after this.
  void follow(std::uint32_t oid) const;
  bool follows(std::uint32_t oid) const;
  /// None is followed any more: OIDs mean nothing on another server.
  void forget_followed() const;

  bool skip_unchanged() const;

  /// The rule that hides the column by its name, such as `mask_columns ".*\.email"`; empty if none does. That
  /// include_columns does not name it is none: a column of another name is left out as well.
  std::string hidden_by(const TableName& table, const std::string& column) const;
  /// The rule that leaves the table out by its name; empty if none does.
  std::string excluded_by(const TableName& table) const;
  /// Whether there is any such rule.
  bool hides_by_name() const;

  using PublishedTable = walcat::PublishedTable;
  /// Errors: kConfiguration naming each pattern (and key column) that matches nothing of `published`, and each
  ///     alternative of a pattern. What matches one of the names `former` (schema.table, schema.table.column), which
  ///     were there once, counts as matching.
  Status check(const std::vector<PublishedTable>& published, const std::vector<std::string>& former = {}) const;

 private:
  struct Patterns;
  std::unique_ptr<const Patterns> patterns_;
  std::set<TableName> listed_;
  mutable std::shared_mutex mutex_;
  // Guarded by mutex_: the OIDs that count as listed.
  mutable std::unordered_set<std::uint32_t> followed_;
};

}  // namespace walcat
