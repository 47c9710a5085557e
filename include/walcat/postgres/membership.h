#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// A table of the catalog.
struct NamedTable {
  std::uint32_t oid = 0;
  TableName name;

  bool operator==(const NamedTable&) const = default;
};

/// A physical table (of a partitioned one, a leaf) that a publication publishes, and by what it does so.
struct MemberTable {
  NamedTable table;
  /// Under which name its changes come: its own, or, with publish_via_partition_root, an ancestor's.
  NamedTable as;
  /// The partitioned tables above it, its parent first.
  std::vector<NamedTable> ancestors;
  /// The ways by which it is published, apart by spaces. Each names the rows of the catalog that it rests on, so it is
  /// another one once the table has left and come back: `p16400` (FOR ALL TABLES), `n16410.731` (its schema, since
  /// transaction 731), `r16420` (itself), with `/732` for each step from an ancestor down (attached by transaction
  /// 732), and `@16384` if changes come as that ancestor's. Before them stands what is published, `o733.iudt.10`:
  /// inserts, updates, deletes and truncates, as transaction 733 has left the publication; and its owner with what else
  /// leaves out no change. Empty: it is there and is not published.
  std::string membership;
  /// Whether it has been published since it was made: there were no rows before. False where the catalog can't tell.
  bool is_whole = false;
  /// Whether its name, or that of a table above it, may have been another one since it was made.
  bool was_renamed = false;
  /// Whether it may have had rows of its own before it became a partition.
  bool was_attached = false;
  /// Whether an incremental snapshot can tell its rows apart.
  bool has_key = false;

  bool operator==(const MemberTable&) const = default;
};

/// All physical tables that `publication` publishes now, and those of `known` that are there without, in the order of
/// their OIDs: one query, however many they are.
///
/// Permanent ones: nothing of others is ever streamed. Reads the catalog only.
/// Source: PostgreSQL manual, pg_publication_rel, pg_publication_namespace, pg_inherits; what is whole rests on xmin
/// and
///     cmin of the catalog's rows.
Result<std::vector<MemberTable>> published_members(Connection& connection, const std::string& publication,
                                                   const std::vector<std::uint32_t>& known = {});

/// Where the server's log ends; of a standby, what it has replayed.
Result<Lsn> end_of_log(Connection& connection);

/// The table with this OID and the partitioned tables above it, itself first; nothing if there is none (any more).
Result<std::vector<NamedTable>> lineage_of(Connection& connection, std::uint32_t oid);

}  // namespace walcat
