#pragma once

#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/model/snapshot.h"
#include "walcat/postgres/snapshot.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

/// The columns as SQL lists them.
std::string column_list(const Relation& relation);

/// A condition for at least the rows that were written by transaction `xid` or later ones.
std::string written_since(std::uint64_t xid);

/// How the tables are to be read.
struct PlanOptions {
  std::uint64_t chunk_bytes = 0;
  /// Servers before 14 would read the whole table for each chunk.
  bool by_chunks = true;
};

/// Cuts every table of `relations` into chunks, none of them done.
std::vector<SnapshotProgress::Table> cut_tables(const std::vector<PublishedRelation>& relations,
                                                const PlanOptions& options);

/// Brings a progress of an earlier session up to date with the tables as they are now: tables that are gone are passed
/// over, tables that were rewritten are cut anew.
void update_tables(SnapshotProgress& progress, const std::vector<PublishedRelation>& relations,
                   const PlanOptions& options, const log::Logger& logger);

/// The reads that are left of `progress`, and into `start` what they are read from. `notes`: one a relation, or none.
///
/// In a first session the snapshot sees what the point sees, and each row is read once. A later one sees more, and the
/// stream, which begins at the point all the same, will bring what came between. Rows of tables with a key may then
/// show twice: the stream's last word on them is right. Rows without a key must not: of those only what the point saw
/// is read. Where a row may have moved from a chunk that is left into one that is done, and the stream may leave out
/// its large values, the rows written since the point are read from the chunks that are done as well.
void plan_reads(const std::vector<PublishedRelation>& relations,
                const std::vector<std::shared_ptr<const RelationNote>>& notes, SnapshotStart& start);

}  // namespace walcat
