#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/followed_table.h"
#include "walcat/postgres/membership.h"

namespace walcat {

/// What has become of one wanted table since a publication was looked at last.
struct TableFinding {
  enum class Kind {
    /// Nobody knew it, and rows that it had before may be missing.
    kEntered,
    /// Another table has had its name.
    kReplaced,
    /// It left the publication and came back, or is published by another way: changes may be missing.
    kCameBack,
    /// The publication was altered, and some operations on it may have been left out for a while.
    kMissed,
    /// Some operations on it are published no more.
    kLessened,
    kLeft,
    kDropped,
    /// It has another name, and is still wanted.
    kRenamed,
    /// It has another name, under which it is not wanted.
    kRenamedAway,
  };
  Kind kind = Kind::kEntered;
  /// As it is now; of a table that was dropped, as it was known.
  MemberTable now;
  /// As it was known; of a table that was replaced, the one before it.
  FollowedTable before;
  /// Whether rows that are there now may never have come. Not of what left.
  bool lacks_rows = false;
  /// Which operations, of `iudt`: those that were missed, or are published no more.
  std::string operations;

  bool operator==(const TableFinding&) const = default;
};

/// How tables are wanted.
struct TableRules {
  /// Whether changes of the table, as the one whose name they come under, are printed.
  std::function<bool(const NamedTable&)> wants;
  /// Whether the configuration lists the name.
  std::function<bool(const TableName&)> lists;
  /// Whether a table's name decides: one that had another name may have been unwanted then.
  bool by_name = false;
  /// Where the session began, if its server is one that does not tell its stream of what is attached (before 15): of a
  /// partition that was attached since, and that the stream had met, changes come in a later session only.
  std::optional<Lsn> blind_since = std::nullopt;
};

struct TableReview {
  std::vector<TableFinding> findings;
  /// What is known from here on, in the order of OIDs: wanted tables, and those that have left and are there still.
  std::vector<FollowedTable> known;
  /// Whether changes of a table come once another session has begun, which then finds that it has entered.
  bool needs_session = false;
};

/// Compares what was known of a publication's tables with what it publishes `now` (in the order of OIDs; those of
/// `known` that exist and are published by nothing among them, without a membership).
///
/// `position`: where the server's log ends.
TableReview review_tables(const std::vector<FollowedTable>& known, const std::vector<MemberTable>& now,
                          const TableRules& rules, Lsn position);

}  // namespace walcat
