#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/model/snapshot.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/membership.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/copy_reader.h"
#include "walcat/reader/options.h"

namespace walcat {

/// One read of a snapshot.
struct SnapshotTask {
  /// Into SnapshotStart::sources.
  std::size_t source = 0;
  /// What is done once its rows are written. Nothing for rows that are read beside the chunks.
  std::optional<ChunkId> chunk;
  /// The COPY command.
  std::string copy;
  /// What it reads, about.
  std::uint64_t pages = 0;
};

/// What a snapshot will read of one physical table.
struct TableOutline {
  std::string name;
  /// The planner's estimate; negative if it has none.
  double rows = -1;
  /// Pages of the table itself, without values out of line.
  std::uint64_t bytes = 0;
  std::size_t chunks = 0;
};

/// A snapshot that is ready to be read: shared by the connection that holds it, its tables locked.
struct SnapshotStart {
  /// What others import.
  std::string exported_name;
  SnapshotProgress progress;
  /// Whether an earlier session read a part of it.
  bool is_resumed = false;
  /// The published tables that have something to be read.
  std::vector<std::shared_ptr<const SnapshotSource>> sources;
  /// In the order to read them.
  std::vector<SnapshotTask> tasks;
  std::vector<TableOutline> outlines;
  /// The slot that made the snapshot, where that is not the one that is streamed.
  std::string temporary_slot;
  /// What the publication publishes where a new slot begins; and of the tables known before, those that are there.
  std::vector<MemberTable> members;
  /// The tables, for workers to lock: who waits for an exclusive lock would be let in front of them later.
  std::vector<TableName> tables;
  /// The planner's estimate for all tables, and what the pages that are left take.
  double rows = 0;
  std::uint64_t bytes = 0;
};

/// Reads the rows of a shared snapshot, task by task, over a connection of its own.
///
/// A connection that breaks is made anew, and the task goes on behind the rows that were read: the same snapshot shows
/// the same rows in the same order.
/// Threads: stage-bound (snapshot worker).
class ChunkReader {
 public:
  /// `stop` wakes the reader and makes it give up. Borrows all but the logger.
  ChunkReader(const DatabaseOptions& options, const SnapshotStart& start, const StopRequest& stop,
              const log::Logger& logger);

  /// What follows are the rows of `task`.
  void begin(const SnapshotTask& task);

  using Progress = CopyReader::Progress;
  /// Appends rows to `batch`, which must be empty.
  ///
  /// Errors: kUnavailable where the snapshot must be taken anew, kRefused where that is no use, kStopped.
  Result<Progress> read(Batch& batch);

  /// Where the last row of the batch begins, for Batch::pop_frame(); nothing if there is none.
  std::optional<std::size_t> last_row() const { return last_row_; }

 private:
  Status connect();
  void disconnect();
  Status start_copy();
  void end_copy();
  Result<Progress> fill(Batch& batch);

  const DatabaseOptions& options_;
  const SnapshotStart& start_;
  const StopRequest& stop_;
  const log::Logger logger_;

  std::unique_ptr<Connection> connection_;
  RowGate gate_;
  SnapshotTask task_;
  std::optional<CopyReader> copy_;
  /// Rows of the task that batches hold; read again only to be passed over when the connection broke.
  std::uint64_t rows_ = 0;
  std::optional<std::size_t> last_row_;
};

/// What `options.dump` would read, without reading it.
Result<std::vector<TableOutline>> outline_snapshot(const DatabaseOptions& options, const StopRequest& stop);

}  // namespace walcat
