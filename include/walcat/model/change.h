#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/model/snapshot.h"

namespace walcat {

struct Relation;

/// kBegin and kCommit are no changes but stand among them, where transactions are printed as well. kRead is a row that
/// a snapshot found.
enum class Operation : std::uint8_t { kInsert, kUpdate, kDelete, kTruncate, kMessage, kBegin, kCommit, kRead };

/// What the message carried of the row before the change.
enum class OldTuple : std::uint8_t { kNone, kKey, kFull };

/// One column's value: a view into the frames of the batch, or one of two marks.
struct Cell {
  static constexpr std::int32_t kNull = -1;
  /// An unchanged TOAST value, which the server does not send.
  static constexpr std::int32_t kUnchanged = -2;

  /// Bytes from the start of the batch's frames.
  std::uint32_t offset = 0;
  /// Bytes of text, or kNull or kUnchanged.
  std::int32_t size = kNull;
};

/// The transaction that changes belong to.
struct Transaction {
  /// LSN of the commit record; for a message outside transactions the byte before its own LSN, which no commit has.
  Lsn commit_lsn;
  /// Microseconds since 2000-01-01 UTC.
  std::int64_t commit_time = 0;
  /// Zero for a message outside transactions.
  std::uint32_t xid = 0;
  /// End LSN of the commit before, as far as the stream has shown one.
  Lsn previous_commit;
  /// Where the transaction was first made, if that was another server: name of the origin and commit LSN there.
  std::shared_ptr<const std::string> origin;
  Lsn origin_lsn;
  /// Added to the changes' index where it is printed: see kIndexAboveSnapshot.
  std::uint64_t index_base = 0;
};

/// A typed record of one insert, update, delete, truncated table, logical message or row of a snapshot.
///
/// Cells stand in the batch from `cells_begin`: first those of the old tuple, if there is one, then those of the new
/// (updates, inserts and reads). Each tuple has as many cells as the relation has columns. A message has two cells,
/// prefix and content, and no relation.
struct Change {
  /// Owned by the batch.
  const Relation* relation = nullptr;
  /// Of the change's own WAL record; zero if the message carried none.
  Lsn lsn;
  /// Ordinal in the transaction, or of the row in its snapshot; with the commit LSN, the change's identity.
  std::uint64_t index = 0;
  /// Ordinals from 1 among the transaction's printed changes, and among those of its table; only where transactions
  /// are printed as well.
  std::uint64_t total_order = 0;
  std::uint64_t table_order = 0;
  /// Into the batch's transactions.
  std::uint32_t transaction = 0;
  /// Into the batch's cells; for kCommit into its transaction summaries.
  std::uint32_t cells_begin = 0;
  Operation operation = Operation::kInsert;
  OldTuple old_tuple = OldTuple::kNone;
  /// An update of the key that is printed, and counted, as two records: the old key's delete, the new one's insert.
  bool is_split = false;
  /// Whether text of its cells is no UTF-8: until the decoder is done with the batch.
  bool has_invalid_text = false;
  /// Of kRead.
  SnapshotMark mark = SnapshotMark::kNone;
};

/// What a transaction held, printed at its end.
struct TransactionSummary {
  struct Table {
    std::string schema;
    std::string table;
    std::uint64_t changes = 0;
  };
  std::uint64_t changes = 0;
  /// In the order of their first change.
  std::vector<Table> tables;
};

/// How far a database's changes had gone before a run began.
struct ResumePoint {
  /// Every transaction that committed before this position is done.
  Lsn position;
  /// The transaction that was cut in the middle, if any: its commit LSN and how many of its changes are done.
  Lsn open_commit_lsn;
  std::uint64_t open_changes = 0;

  bool operator==(const ResumePoint&) const = default;
};

/// A position that counts as written once the first `changes_end` changes of its batch are.
struct ProgressPoint {
  /// A commit's end LSN, a keepalive's position between transactions, or that of a message outside transactions.
  Lsn position;
  std::uint32_t changes_end = 0;
};

}  // namespace walcat
