#pragma once

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/membership.h"
#include "walcat/reader/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Compares what the configuration captures with what `offset` says it captured: tables that it has come to include get
/// an incremental snapshot, added to `offset`, unless `snapshot.mode` wants none.
///
/// Tables of which the stream has brought every row, because they were made while it ran, are none of these: what
/// counts is the configuration, not the catalog. `members`: what is published.
Status note_added_tables(const std::vector<MemberTable>& members, int server_version, const DatabaseOptions& options,
                         const Selection& selection, Offset& offset, const log::Logger& logger);

}  // namespace walcat
