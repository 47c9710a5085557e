#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/relation.h"

namespace walcat {

/// Which tables and columns of a database are printed, and how (keys of an entry of `databases`).
///
/// Patterns are RE2 regular expressions, anchored at both ends, over `schema.table` and `schema.table.column` as the
/// catalog stores the names.
struct SelectionOptions {
  struct MaskRule {
    std::string columns;
    std::string with;
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
  std::vector<std::string> include_tables;
  std::vector<std::string> exclude_tables;
  std::vector<std::string> include_columns;
  std::vector<std::string> exclude_columns;
  /// A column that several rules match follows the first of: hash, truncate, mask.
  std::vector<MaskRule> mask_columns;
  std::vector<TruncateRule> truncate_columns;
  std::vector<HashRule> hash_columns;
  /// `schema.table` (exact) to the columns that make its key.
  std::map<std::string, std::vector<std::string>> key_columns;
  /// Updates that change no printed column are not printed. Needs the old row (REPLICA IDENTITY FULL).
  bool skip_unchanged = false;

  bool operator==(const SelectionOptions&) const = default;
};

/// The compiled form of SelectionOptions.
///
/// Threads: immutable; thread-safe.
class Selection {
 public:
  /// Errors: kConfiguration naming the pattern and what is wrong with it.
  static Result<std::shared_ptr<const Selection>> compile(const SelectionOptions& options);
  /// Selects everything.
  Selection();
  ~Selection();

  /// Writes the selection into `relation`: is_wanted, each column's rule, and the key if one is configured.
  void apply(Relation& relation) const;

  bool skip_unchanged() const;

  /// A table and its columns as they are published now.
  struct PublishedTable {
    std::string schema;
    std::string table;
    std::vector<std::string> columns;
  };
  /// Errors: kConfiguration naming each pattern (and key column) that matches nothing of `published`.
  Status check(const std::vector<PublishedTable>& published) const;

 private:
  struct Patterns;
  std::unique_ptr<const Patterns> patterns_;
};

}  // namespace walcat
