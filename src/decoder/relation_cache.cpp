#include "relation_cache.h"

#include <utility>

namespace walcat {

void RelationCache::clear() {
  relations_.clear();
  types_.clear();
  latest_ = nullptr;
}

void RelationCache::put_type(std::uint32_t oid, std::string_view schema, std::string_view name) {
  types_[oid] = Type{std::string(schema), std::string(name)};
}

void RelationCache::put(Relation relation) {
  for (Column& column : relation.columns) {
    if (const auto type = types_.find(column.type_oid); type != types_.end()) {
      column.type_schema = type->second.schema;
      column.type_name = type->second.name;
    }
  }
  Entry& entry = relations_[relation.oid];
  // ANALYZE, VACUUM and CREATE INDEX repeat the description; keeping the object keeps what is rendered from it.
  if (entry.relation == nullptr || *entry.relation != relation) {
    entry = Entry{std::make_shared<const Relation>(std::move(relation)), kNever};
  }
}

const Relation* RelationCache::pin(std::uint32_t oid, Batch& batch) {
  if (latest_ == nullptr || latest_oid_ != oid) {
    const auto found = relations_.find(oid);
    if (found == relations_.end()) return nullptr;
    latest_ = &found->second;
    latest_oid_ = oid;
  }
  if (latest_->pinned_in != batch.sequence) {
    batch.relations.push_back(latest_->relation);
    latest_->pinned_in = batch.sequence;
  }
  return latest_->relation.get();
}

}  // namespace walcat
