#pragma once

#include <cstdint>
#include <unordered_map>

#include "walcat/model/change.h"
#include "walcat/model/relation.h"

namespace walcat {

/// Counts a transaction's printed records, altogether and per table.
///
/// Counts those that went down the street before a reconnect as well, so the numbers do not depend on it.
/// Threads: stage-bound (decoder).
class TransactionCount {
 public:
  void start() {
    summary_ = TransactionSummary{};
    places_.clear();
  }

  /// Counts a change of `records` records; `relation` is null for a message. Returns the ordinal of the first in its
  /// table, from 1.
  std::uint64_t add(const Relation* relation, std::uint64_t records) {
    summary_.changes += records;
    const auto [place, is_new] = places_.try_emplace(relation == nullptr ? 0 : relation->oid, summary_.tables.size());
    if (is_new) {
      summary_.tables.push_back(relation == nullptr ? TransactionSummary::Table{}
                                                    : TransactionSummary::Table{relation->schema, relation->name, 0});
    }
    std::uint64_t& changes = summary_.tables[place->second].changes;
    changes += records;
    return changes - records + 1;
  }

  std::uint64_t changes() const { return summary_.changes; }
  const TransactionSummary& summary() const { return summary_; }

 private:
  TransactionSummary summary_;
  std::unordered_map<std::uint32_t, std::size_t> places_;
};

}  // namespace walcat
