#pragma once

#include <cstdint>
#include <string>

#include "walcat/base/lsn.h"
#include "walcat/model/table_name.h"

namespace walcat {

/// A physical table (of a partitioned one, a leaf) whose changes an offset speaks for; stored with it.
struct FollowedTable {
  std::uint32_t oid = 0;
  /// Under which it was wanted; of a table that the configuration lists and that was renamed since, the listed one.
  TableName name;
  /// By what it was published when that was looked at last (MemberTable::membership); empty: by nothing, it has left.
  /// Behind a `?`: the stream brings it from the next session on, and it has not been met yet.
  std::string membership;
  /// Where the server's log ended when it was first seen to be so.
  Lsn since;

  bool operator==(const FollowedTable&) const = default;
};

/// A table that the configuration lists, partitioned or not, and which one it is, whatever it is called since.
struct ListedTable {
  std::uint32_t oid = 0;
  /// As the configuration has it.
  TableName name;

  bool operator==(const ListedTable&) const = default;
};

}  // namespace walcat
