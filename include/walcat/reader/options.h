#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/large_rows.h"
#include "walcat/model/table_name.h"
#include "walcat/model/topics.h"
#include "walcat/postgres/keyless_tables.h"
#include "walcat/selection/rule_memory.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Where a bounded run ends; without either, never.
struct Bounds {
  /// Every transaction that committed before this position is printed, none after it (`--until-lsn`).
  std::optional<Lsn> until_lsn;
  /// The bound is the server's flush position at the first connection (`--until-caught-up`).
  bool until_caught_up = false;

  bool any() const { return until_lsn.has_value() || until_caught_up; }
};

/// What is done where changes are lost or may be (`on_gap`).
enum class OnGap {
  kFail,      ///< The database is stopped, with the reason.
  kSnapshot,  ///< All rows again, and the stream from there on.
  kContinue,  ///< The stream goes on from where the slot is, or a new one begins.
};

/// What is done with a message that can't be decoded, where the stream makes sense without it (`on_poison`).
enum class OnPoison {
  kStop,        ///< The database is stopped, with the reason.
  kDeadLetter,  ///< The message goes to a capture file, and the stream goes on.
};

/// Which rows are printed before the stream (`snapshot`).
struct SnapshotOptions {
  enum class Mode {
    kInitial,      ///< Those that are there when the database is first followed.
    kInitialOnly,  ///< The same, and no stream after them.
    kNever,
    kAlways,      ///< Those that are there at each start.
    kWhenNeeded,  ///< As kInitial, and again instead of failing where changes are lost.
  };
  Mode mode = Mode::kInitial;
  /// Connections of one database that read rows at the same time, at least 1.
  std::size_t workers = 2;
  /// Bytes of a table, without what is stored out of line, that are read at once and stored as done.
  std::uint64_t chunk_bytes = std::uint64_t{16} << 20;
};

/// How the log that a slot retains is watched (`wal_guard`).
struct WalGuardOptions {
  /// Between two looks at the slot, each a query on a second connection. 0: none.
  std::chrono::milliseconds interval{30'000};
  /// Bytes of log whose retention is worth a warning each, in any order.
  std::vector<std::uint64_t> warn_at = {std::uint64_t{1} << 30, std::uint64_t{10} << 30};
};

/// Rows to be printed once, without a slot (`walcat snapshot`).
struct DumpOptions {
  /// Empty: what the publication publishes.
  std::vector<TableName> tables;
  /// SQL over the tables' columns; empty: all rows.
  std::string where;
  /// The offset file of who follows the slot, for what it remembers of hidden columns; empty: there is none.
  std::string offset_path = {};
};

/// Where transactions wait that the server sends before they have ended (`spool`).
struct SpoolOptions {
  /// Whether it is asked to, where it can.
  bool streaming = true;
  /// Folder of the files; they have no names, so nothing is left of them. Empty: that of the offset file.
  std::string directory;
  /// Bytes of a database's transactions that wait in memory before they go to disk.
  std::uint64_t memory = std::uint64_t{4} << 20;
  /// Bytes of a database's transactions in all, above which the server is asked to keep them itself; 0: no limit.
  std::uint64_t size_limit = 0;
  /// Files of a database's transactions, above which the same is done: each takes a descriptor.
  std::size_t files_most = 256;
};

/// One database to follow (an entry of `databases`).
struct DatabaseOptions {
  /// How logs name the database, such as `db1/slot1`.
  std::string label;
  /// libpq connection string: URI or key=value.
  std::string conn_str;
  /// Logical replication slot, 1 to 63 of `[a-z0-9_]`.
  std::string slot_name;
  std::string publication_name;
  /// Tables to publish; empty means all.
  std::vector<TableName> tables;
  /// Which of the published tables and columns are printed, and how.
  SelectionOptions selection;
  SnapshotOptions snapshot;
  SpoolOptions spool;
  /// Whether prepared transactions are taken when they are prepared, and not when they are committed.
  bool two_phase = false;
  OnGap on_gap = OnGap::kFail;
  OnKeyless on_keyless = OnKeyless::kRefuse;
  OnPoison on_poison = OnPoison::kStop;
  OnLostRule on_lost_rule = OnLostRule::kStop;
  /// The capture file of the database's dead letters, slot name included.
  std::string dead_letter_path;
  /// After so long without progress, a logical message is written for the slot to move by. 0: none.
  std::chrono::milliseconds heartbeat_interval{0};
  WalGuardOptions wal_guard;
  /// If set, only the dump is made: no publication, no slot, no offset.
  std::optional<DumpOptions> dump;
  /// Where the database's offset is kept, slot name included.
  std::string offset_path;
  /// The base name that offset files without a name of their own derive from; see offset_path_for_slot().
  std::string offset_base;
  /// Whether inactive slots of this database that `configured_slots` does not name are dropped once the stream has
  /// begun, where an offset file proves them ours.
  bool inactive_slot_check = false;
  /// Slot names of every entry of the configuration.
  std::vector<std::string> configured_slots;
  /// Whether the catalog is asked about each relation that the stream describes: for types that are not built in, keys
  /// and NOT NULL. Costs a second connection.
  bool describe_relations = false;
  /// The topics of the run, into which published tables are entered at start; null: records have none.
  std::shared_ptr<Topics> topics;
  /// Whether records bear keys.
  bool prints_keys = false;
  /// What rows that are larger than a batch wait for; null: for nothing.
  std::shared_ptr<LargeRows> large_rows;
};

}  // namespace walcat
