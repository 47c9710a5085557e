#pragma once

#include <span>

#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/snapshot.h"

namespace walcat {

/// Refuses, with the statements that mend it, those of the tables that the role may not read: all at once.
///
/// Of a partitioned table its partitions are meant, which are read one by one.
Status check_readable(const Connection& connection, std::span<const PublishedRelation> relations);

}  // namespace walcat
