#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/model/relation.h"
#include "walcat/selection/rule_memory.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// What is wanted of relations: `rules` if there are any, else `selection`, which may be null.
struct RelationRules {
  const Selection* selection = nullptr;
  RuleMemory* rules = nullptr;
};

/// Adds what the catalog (`note`, may be null) says of `relation`, and replaces what is no UTF-8 in names.
void complete_description(Relation& relation, const RelationNote* note);

/// The relation as it is printed from here on, of one whose description is complete.
///
/// Errors: those of RuleMemory::apply().
Result<std::shared_ptr<const Relation>> ruled_relation(Relation described, const RelationRules& rules,
                                                       const RowsAhead& rows);

/// The relations and types that a session has described so far.
///
/// A description prints nothing, and the server sends some that no change follows: with publish_via_partition_root,
/// that of the partition behind that of the root. So the rules are applied to a relation before its first change, and
/// again whenever it has been described anew. Never forgets within a session: the server describes a relation once and
/// then counts on us. Threads: stage-bound (decoder).
class RelationCache {
 public:
  /// Forgets everything: a new session describes everything anew.
  void clear();

  /// From now on the frames that describe are kept, for take_descriptions().
  void keep_frames() { keeps_frames_ = true; }

  /// A type that is not built in; the next relations that use it carry its name.
  void put_type(std::uint32_t oid, std::string_view schema, std::string_view name, std::string_view frame);

  /// Takes a description; the relation waits for rules(). `note` is what the catalog says of it, if it was asked.
  void put(Relation relation, const RelationNote* note, std::string_view frame);

  /// Whether the relation is described and the rules have not been applied to it since.
  bool awaits_rules(std::uint32_t oid) const;

  /// Applies the rules to a relation that awaits them, before `rows` of it. Returns what it is now, null if
  /// that is as it was before. Errors: those of ruled_relation(); it awaits them still.
  Result<const Relation*> apply(std::uint32_t oid, const RelationRules& rules, const RowsAhead& rows);

  /// How many relations are described.
  std::size_t size() const { return relations_.size(); }
  /// What is known of relations, and of types, takes so much memory, in bytes, about.
  std::size_t relation_bytes() const { return relation_bytes_; }
  std::size_t type_bytes() const { return type_bytes_; }

  /// Forgets what was known of the relation.
  void forget(std::uint32_t oid);

  /// Visits the frames that describe the relation, those of its types first: each once, until it comes again.
  template <typename Visit>
  void take_descriptions(std::uint32_t oid, Visit visit);

  /// The relation, pinned in `batch` for as long as the batch's changes live; null if it was never described, or awaits
  /// the rules.
  const Relation* pin(std::uint32_t oid, Batch& batch) {
    const Recent& recent = recent_[oid % kRecent];
    if (recent.oid == oid && recent.entry != nullptr && recent.entry->pinned_in == batch.sequence) [[likely]]
      return recent.entry->relation.get();
    return find_and_pin(oid, batch);
  }

 private:
  struct Type {
    std::string schema;
    std::string name;
    std::string frame;

    std::size_t bytes() const;
  };
  struct Entry {
    Relation described;
    /// Null before the rules were applied for the first time.
    std::shared_ptr<const Relation> relation;
    bool awaits_rules = true;
    std::uint64_t pinned_in = kNever;
    std::string frame;

    std::size_t bytes() const;
  };
  struct Recent {
    std::uint32_t oid = 0;
    Entry* entry = nullptr;
  };
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr std::size_t kRecent = 16;

  const Relation* find_and_pin(std::uint32_t oid, Batch& batch);

  std::unordered_map<std::uint32_t, Entry> relations_;
  std::unordered_map<std::uint32_t, Type> types_;
  // Changes come in runs of one relation, or of a few that take turns: one of each OID's last digits.
  std::array<Recent, kRecent> recent_;
  bool keeps_frames_ = false;
  std::size_t relation_bytes_ = 0;
  std::size_t type_bytes_ = 0;
};

template <typename Visit>
void RelationCache::take_descriptions(std::uint32_t oid, Visit visit) {
  const auto take = [&](std::string& frame) {
    if (!frame.empty()) visit(std::string_view(frame));
    std::string().swap(frame);
  };
  const auto found = relations_.find(oid);
  if (found == relations_.end()) return;
  for (const Column& column : found->second.described.columns) {
    if (const auto type = types_.find(column.type_oid); type != types_.end()) take(type->second.frame);
  }
  take(found->second.frame);
}

}  // namespace walcat
