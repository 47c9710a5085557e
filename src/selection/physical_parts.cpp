#include "walcat/selection/physical_parts.h"

namespace walcat {

void PhysicalParts::learn(std::uint32_t whole, std::uint32_t part) {
  if (whole == part) return;
  parts_[whole].insert(part);
  wholes_[part].insert(whole);
}

std::set<std::uint32_t> PhysicalParts::of(std::uint32_t whole) const {
  const auto parts = parts_.find(whole);
  return parts == parts_.end() ? std::set<std::uint32_t>() : parts->second;
}

std::set<std::uint32_t> PhysicalParts::others_of(std::uint32_t whole, const std::vector<std::uint32_t>& parts) const {
  std::set<std::uint32_t> others;
  for (const std::uint32_t part : parts) add_others(part, others);
  if (parts.empty()) {
    add_others(whole, others);
    for (const std::uint32_t part : of(whole)) add_others(part, others);
  }
  others.erase(whole);
  return others;
}

void PhysicalParts::add_others(std::uint32_t part, std::set<std::uint32_t>& others) const {
  others.insert(part);
  if (const auto wholes = wholes_.find(part); wholes != wholes_.end())
    others.insert(wholes->second.begin(), wholes->second.end());
}

}  // namespace walcat
