#pragma once

#include <set>
#include <string>

#include "walcat/model/relation.h"
#include "walcat/model/remembered_table.h"

namespace walcat::selection {

/// What a relation shows of what a rule hid.
struct RuleLoss {
  /// Hidden columns that may come under other names, and those names.
  std::set<std::string> lost;
  std::set<std::string> uncovered;
  /// Hidden columns that are gone, with nothing new in their place.
  std::set<std::string> gone;
  /// Whether the rows were left out.
  bool is_table = false;

  bool is_none() const { return uncovered.empty() && !is_table; }
};

/// Compares `relation`, to which the selection has been applied, with a table whose rows it may have: itself, with one
/// that had its name, or with one that has had the same physical table.
///
/// Only the layout before counts: that a name was printed once vouches for no column that has it now. Where the columns
/// of `relation` have numbers, these count as well. `dropped`: hidden columns that are known to be in the table no
/// more.
RuleLoss loss_of(const RememberedTable& before, const Relation& relation, const std::set<std::string>& dropped = {});

/// Whether the column is printed as it is.
bool is_open(const Column& column);
/// Null if there is none.
const Column* find_column(const Relation& relation, const std::string& name);
TableLayout layout_of(const Relation& relation);

}  // namespace walcat::selection
