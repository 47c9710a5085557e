#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/model/snapshot.h"
#include "walcat/model/visible_transactions.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/key_order.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/incremental_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/row_gate.h"
#include "walcat/reader/vouchers.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// A table whose rows are read by key: an ordinary one, or a leaf of a partitioned one.
struct KeyedPart {
  /// As it is published.
  TableName table;
  TableName part;
  std::uint32_t part_oid = 0;
  std::shared_ptr<const SnapshotSource> source;
  KeyOrder key;
  /// The publication's; empty: all rows.
  std::string row_filter;
  /// The planner's estimate; negative if it has none.
  double rows = -1;
  /// Changes whenever the part's columns, the table's keys or the way it is published do.
  std::string shape;
  /// Whether the stream's changes may come without some of a row's values.
  bool may_miss_values = false;
};

/// Reads tables in the order of their keys, a chunk at a time, each as of its own moment, without a lock beyond its
/// query; and speaks for the snapshot on the server.
///
/// Threads: stage-bound (incremental snapshot worker).
/// Errors: kUnavailable if the connection broke: connect() again; kRefused with the reason if reading is no use;
///     kStopped.
class IncrementalReader {
 public:
  using Key = KeyOrder::Key;

  /// `stop` wakes the reader and makes it give up. Borrows all but the logger.
  IncrementalReader(const DatabaseOptions& options, const Selection& selection, const StopRequest& stop,
                    const log::Logger& logger);

  /// Makes a connection where there is none that can be asked. What begins something does it by itself.
  Status connect();
  void disconnect() {
    connection_.reset();
    gate_.release();
  }

  /// How many tables are planned together at most: their plans are held until they are read.
  static constexpr std::size_t kPlannedMost = 500;
  /// The parts of a published table, in the order of their names, or why it is refused: it has no key, is not
  /// published, not printed or not readable, or the condition makes no sense for it.
  using Plan = Result<std::vector<KeyedPart>>;
  /// The plan of each of `tables`, with a few questions for all of them. It holds until a part's shape changes, and of
  /// a partitioned table, until its partitions do.
  Result<std::vector<Plan>> plan(std::span<const TableName> tables, const std::string& where);
  /// Adds to the parts of one table what the stream leaves out about it, if the options want that.
  Status describe(std::vector<KeyedPart>& parts);

  /// A transaction ID that no transaction had before.
  Result<std::uint64_t> next_transaction();

  /// Which questions may be answered now.
  Result<Vouchers> vouchers();

  /// What a chunk is read as of.
  struct Moment {
    VisibleTransactions visible;
    /// See KeyedPart.
    std::string shape;
  };
  /// Begins a chunk of the rows for which `where`, a user's SQL, holds; empty: of all. The part keeps its columns and
  /// its file until end_chunk(). Nothing, and no chunk to be ended, if it is there no more.
  Result<std::optional<Moment>> begin_chunk(const KeyedPart& part, const std::string& where);
  /// The largest key as of the chunk; nothing if there is no row.
  Result<std::optional<Key>> largest_key(const KeyedPart& part);

  /// A run of rows in the order of their keys.
  struct Range {
    /// Not included; empty: from the first.
    Key after;
    /// Included.
    Key last;
    std::size_t rows_most = 0;
    /// If set, only rows that this transaction or later ones wrote.
    std::optional<std::uint64_t> since;
  };
  /// Appends rows to `batch` until it is full. Returns whether the range has ended.
  Result<bool> read(const KeyedPart& part, const Range& range, Batch& batch);
  /// Appends the rows that have these keys, wherever they stand now. Returns whether all of them are there.
  Result<bool> read(const KeyedPart& part, const std::vector<Key>& keys, Batch& batch);
  /// Ends the chunk that was begun.
  Status end_chunk();

  /// Writes a mark into the server's log, behind everything that earlier snapshots see. Nobody must know it before.
  Status mark(const std::string& mark);
  /// Tells whoever listens on `channel`; over a new connection if need be. Empty: nobody does.
  void tell(const std::string& channel, SnapshotNews news);

 private:
  Status check_in();
  Status check_condition(const std::vector<KeyedPart>& parts, const std::string& where);
  Status check_condition(const TableName& part, const std::string& where);
  Status lock(const std::vector<TableName>& tables);
  Status choose_rows(const KeyedPart& part, const std::string& where);
  std::string rows_where(std::vector<std::string> conditions) const;
  KeyOrder::Quote quote() const;
  Result<bool> copy(const std::string& sql, Batch& batch);

  const DatabaseOptions& options_;
  const Selection& selection_;
  const StopRequest& stop_;
  const log::Logger logger_;
  std::unique_ptr<Connection> connection_;
  RowGate gate_;
  // Of the chunk: the publication's condition, and the user's.
  std::vector<std::string> conditions_;
};

}  // namespace walcat
