#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace walcat {

/// Which physical tables relations have had: a partitioned table its leaves, any other one itself. By OID; it only
/// grows, for rows of a partition that was detached come as the root's for as long as the stream is behind.
///
/// Threads: of whoever owns it.
class PhysicalParts {
 public:
  /// Rows of `part` come as those of `whole`, or may.
  void learn(std::uint32_t whole, std::uint32_t part);

  /// Those that `whole` has had, itself not among them.
  std::set<std::uint32_t> of(std::uint32_t whole) const;

  /// Other relations that have had one of `parts`; of all that `whole` has had, if `parts` is empty.
  std::set<std::uint32_t> others_of(std::uint32_t whole, const std::vector<std::uint32_t>& parts) const;

 private:
  void add_others(std::uint32_t part, std::set<std::uint32_t>& others) const;

  // The same, both ways. A table is part of itself without being in there.
  std::map<std::uint32_t, std::set<std::uint32_t>> parts_;
  std::map<std::uint32_t, std::set<std::uint32_t>> wholes_;
};

}  // namespace walcat
