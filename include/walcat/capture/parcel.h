#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/change.h"
#include "walcat/model/snapshot.h"
#include "walcat/model/stream_identity.h"
#include "walcat/model/type.h"

namespace walcat {

/// What the label on a batch says of one connection of a stream; see Batch.
///
/// Immutable once shared.
struct CapturedSession {
  /// When the run that recorded it began, in microseconds since 2000-01-01 UTC: runs count their sessions alike.
  std::int64_t run = 0;
  std::uint64_t session = 0;
  std::uint64_t beginning = 0;
  ResumePoint resume;
  Lsn snapshot_point;
  bool is_utf8 = true;

  bool operator==(const CapturedSession&) const = default;
};

/// The frames of one batch as a capture holds them, with what is needed to send them down the street again.
struct CapturedParcel {
  std::shared_ptr<const StreamIdentity> stream;
  std::shared_ptr<const CapturedSession> session;
  /// Microseconds since 2000-01-01 UTC at which the first frames came.
  std::int64_t received_at = 0;
  /// Whether the frames stood in an earlier file of the series, and are here for who reads this one alone: the Type and
  /// Relation messages that what follows depends on.
  bool is_context = false;
  /// As in Batch: of Relation messages among the frames, in their order.
  std::vector<std::shared_ptr<const RelationNote>> notes;
  /// What the frames are rows of; null: messages of the stream. Within a file the same source is the same object. Its
  /// columns have no rules: they are the reader's to give.
  std::shared_ptr<const SnapshotSource> snapshot;
  SnapshotMark first_mark = SnapshotMark::kInside;
  SnapshotMark last_mark = SnapshotMark::kInside;
  /// Of rows of an incremental snapshot, as in Batch.
  std::uint64_t chunk = 0;
  Lsn chunk_commit_lsn;
  std::int64_t chunk_commit_time = 0;
  /// As Batch::frames() gives them. Borrowed from whoever hands the parcel out.
  std::string_view frames;
  /// How many these are. A reader has counted them; a writer does not look.
  std::size_t frame_count = 0;
};

}  // namespace walcat
