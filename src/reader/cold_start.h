#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "position_check.h"
#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/snapshot.h"
#include "walcat/reader/table_look.h"
#include "walcat/selection/rule_memory.h"

namespace walcat {

/// A stream that is ready to be started, or a snapshot that comes before it.
struct StreamStart {
  /// Everything was asked over this one, which must not stream: see open_stream().
  std::unique_ptr<Connection> connection;
  /// Server, slot and the point from which the stream runs.
  Offset offset;
  /// The server's flush position when it was asked.
  Lsn flush_position;
  std::chrono::milliseconds wal_sender_timeout{};
  /// Whether transactions come when they are prepared; once a slot was asked to, it always sends them so.
  bool two_phase = false;
  /// What the publication publishes, and whose rows are read because of that; they are in `offset` too.
  TableView tables;
  std::optional<IncrementalSnapshot> entered;
  /// The gap that was gone on over, as `on_gap` says; ok if there was none.
  Status crossed;
  /// Held by the connection until end_snapshot().
  std::optional<SnapshotStart> snapshot;
};

/// Takes one database from nothing to where it can be read: checks, publication, slot, offset, snapshot.
///
/// `last`: how far this run has come already; nothing where the offset file decides: in its first session, and after a
/// gap.
/// `broken`: why the stream from this slot could not go on, if the last session has met a gap there.
/// `rules`: the selection, and what its rules hid; compared with what is published at each start.
/// `to_the_end`: the stream is to be read to where the server stands now.
/// Errors: kUnavailable worth a retry; kRefused needs a person; kGap where slot and offset do not belong together, and
///     either this run has come some way (then the offset file may still fit) or `on_gap` says so.
Result<StreamStart> cold_start(const DatabaseOptions& options, RuleMemory& rules, const OffsetFile& offset_file,
                               TableLook& look, const std::optional<LastSession>& last, const StopRequest& stop,
                               const log::Logger& logger, const Status& broken = Status::ok(), bool to_the_end = false);

}  // namespace walcat
