#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walcat/model/batch.h"
#include "walcat/model/relation.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// `relation` with what the catalog (`note`, may be null) and the selection (may be null) say of it.
std::shared_ptr<const Relation> complete_relation(Relation relation, const RelationNote* note,
                                                  const Selection* selection);

/// The relations and types that a session has described so far.
///
/// Never forgets within a session: the server describes a relation once and then counts on us.
/// Threads: stage-bound (decoder).
class RelationCache {
 public:
  /// Forgets everything: a new session describes everything anew.
  void clear();

  /// A type that is not built in; the next relations that use it carry its name.
  void put_type(std::uint32_t oid, std::string_view schema, std::string_view name);

  /// Replaces what was known of `relation.oid`, unless nothing changed. `note` is what the catalog says of it, if it
  /// was asked; `selection` (may be null) what is wanted of it.
  void put(Relation relation, const RelationNote* note, const Selection* selection);

  /// The relation, pinned in `batch` for as long as the batch's changes live; null if never described.
  const Relation* pin(std::uint32_t oid, Batch& batch);

 private:
  struct Type {
    std::string schema;
    std::string name;
  };
  struct Entry {
    std::shared_ptr<const Relation> relation;
    std::uint64_t pinned_in = kNever;
  };
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  std::unordered_map<std::uint32_t, Entry> relations_;
  std::unordered_map<std::uint32_t, Type> types_;
  // Changes come in runs of one relation.
  Entry* latest_ = nullptr;
  std::uint32_t latest_oid_ = 0;
};

}  // namespace walcat
