#include "known_types.h"

#include <fmt/format.h>

#include <utility>

namespace walcat {

namespace {

// A domain may be one of a domain, or of arrays of domains: few are. A type that were made of itself would have no end.
constexpr int kLevelsMost = 100;

Status endless(std::uint32_t oid) {
  return misfit(
      fmt::format("more than {} types stand within one another, among them the one with OID {}", kLevelsMost, oid));
}

}  // namespace

KnownTypes::KnownTypes(const std::vector<std::uint32_t>& oids) {
  for (const std::uint32_t oid : oids) want(oid);
}

void KnownTypes::want(std::uint32_t oid) {
  if (oid >= kFirstUserOid && !types_.contains(oid)) wanted_.insert(oid);
}

Status KnownTypes::add(std::vector<Rows::Row>& rows) {
  if (++levels_ > kLevelsMost && !wanted_.empty()) return endless(*wanted_.begin());
  const auto asked = std::exchange(wanted_, {});
  for (auto& [oid, schema, name, kind, base_oid, base_modifier, element_oid, delimiter] : rows) {
    Type type;
    type.oid = oid;
    type.schema = std::move(schema);
    type.name = std::move(name);
    type.kind = static_cast<TypeKind>(kind);
    type.base_oid = base_oid;
    type.base_modifier = base_modifier;
    type.element_oid = element_oid;
    type.delimiter = delimiter;
    types_.emplace(oid, std::move(type));
  }
  for (const std::uint32_t oid : asked) {
    const auto found = types_.find(oid);
    if (found == types_.end()) continue;
    want(found->second.base_oid);
    want(found->second.element_oid);
  }
  // What has no row now will have none when it is asked for again.
  for (const std::uint32_t oid : asked) wanted_.erase(oid);
  return Status::ok();
}

std::vector<std::uint32_t> KnownTypes::enums() const {
  std::vector<std::uint32_t> oids;
  for (const auto& [oid, type] : types_) {
    if (type.kind == TypeKind::kEnum) oids.push_back(oid);
  }
  return oids;
}

void KnownTypes::add_label(std::uint32_t oid, std::string label) {
  const auto found = types_.find(oid);
  if (found != types_.end()) found->second.labels.push_back(std::move(label));
}

Result<std::shared_ptr<const Type>> KnownTypes::joined(std::uint32_t oid, int within) const {
  const auto found = types_.find(oid);
  if (found == types_.end()) return std::shared_ptr<const Type>();
  if (within == kLevelsMost) return endless(oid);
  auto type = std::make_shared<Type>(found->second);
  // A domain of an array names the elements as well, which its base has: so a type has one part, and no tree of them.
  const bool is_domain = type->kind == TypeKind::kDomain;
  auto part = joined(is_domain ? type->base_oid : type->element_oid, within + 1);
  if (!part.is_ok()) return part;
  (is_domain ? type->base : type->element) = std::move(*part);
  return std::shared_ptr<const Type>(std::move(type));
}

}  // namespace walcat
