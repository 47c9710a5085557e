#pragma once

#include <memory>

#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

/// Ends what holds a snapshot whose rows were read: its transaction, and the temporary slot that was made for it.
Status end_snapshot(Connection& connection, const SnapshotStart& snapshot);

/// Opens a connection for the stream alone, and starts the stream at `position` of `offset`'s slot. `two_phase`: where
/// the slot stands instead, which may be before `position`: what was prepared since then comes again.
///
/// A walsender decodes old changes by the table definitions of their time. A session that has opened a user table,
/// be it by pg_relation_size(), keeps the table's present definition in its relation cache, and then decodes old rows
/// with that: values of other types are read as these, and the server may crash. So this connection asks nothing before
/// START_REPLICATION but IDENTIFY_SYSTEM, and all other questions have connections beside it. Login event triggers run
/// in it all the same: see login_triggers().
///
/// Errors: kUnavailable also where another server answers than the one that `offset` was compared with.
/// Source: PostgreSQL manual, protocol-replication (IDENTIFY_SYSTEM, START_REPLICATION).
Result<std::unique_ptr<Connection>> open_stream(const DatabaseOptions& options, const Offset& offset, Lsn position,
                                                bool two_phase, const StopRequest& stop, const log::Logger& logger);

}  // namespace walcat
