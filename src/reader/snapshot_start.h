#pragma once

#include <string>

#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/snapshot.h"
#include "walcat/reader/options.h"
#include "walcat/reader/snapshot.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// The connection that a dump is made over; refuses tables that cannot be read that way.
Result<std::unique_ptr<Connection>> open_for_dump(const DatabaseOptions& options, const StopRequest& stop,
                                                  const log::Logger& logger);

/// What the catalog says beside the stream of a relation.
Result<std::shared_ptr<const RelationNote>> note_of(Connection& connection, const Relation& relation);

/// Takes the snapshot that a database's stream begins with, and holds it in the connection's open transaction.
///
/// The transaction keeps ACCESS SHARE on the tables: a rewrite, which the stream does not show, waits until the rows
/// are read.
/// Source: PostgreSQL manual, protocol-replication (CREATE_REPLICATION_SLOT), functions-admin (snapshot functions).
class SnapshotTaker {
 public:
  /// All are borrowed. `stop` makes it give up connecting.
  SnapshotTaker(Connection& connection, const DatabaseOptions& options, const Selection& selection,
                const StopRequest& stop, const log::Logger& logger);

  /// Refuses what the role may not read, before anything is made.
  Status check_rights();

  /// A new snapshot, of the moment that a new slot `slot_name` begins at. Nothing is left of the slot if it fails.
  ///
  /// What the publication publishes then is told to the selection. `known`: where the stream goes on all the same;
  /// null: it begins at that moment.
  Result<SnapshotStart> take(const std::string& slot_name, bool temporary, const Offset* known = nullptr);

  /// A snapshot of now, without a slot.
  Result<SnapshotStart> dump();

  /// What is left of an earlier session's.
  Result<SnapshotStart> resume(const SnapshotProgress& progress);

 private:
  Result<std::vector<PublishedRelation>> wanted_relations();
  Result<std::vector<PublishedRelation>> lock_relations(const std::vector<PublishedRelation>& relations);
  Status restrict_rows(std::vector<PublishedRelation>& relations);
  Status check_unaltered(const std::vector<PublishedRelation>& relations);
  Status finish(const std::vector<PublishedRelation>& relations, SnapshotStart& start);
  void give_up(const std::string& slot_name);

  Connection& connection_;
  const DatabaseOptions& options_;
  const Selection& selection_;
  const StopRequest& stop_;
  const log::Logger& logger_;
};

}  // namespace walcat
