#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chunk_hatch.h"
#include "incremental_desk.h"
#include "incremental_tally.h"
#include "walcat/base/log.h"
#include "walcat/decoder/snapshot_window.h"
#include "walcat/model/batch.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/model/visible_transactions.h"
#include "walcat/reader/incremental_reader.h"

namespace walcat {

/// Reads the rows of a table's part in the order of its key, a chunk at a time, and sees each chunk into the stream.
///
/// Threads: stage-bound (incremental snapshot worker).
/// Errors: kUnavailable if the connection broke, kRefused if reading is no use, kStopped if nobody wants the rows any
///     more. The snapshot says how far it came.
class PartReader {
 public:
  /// Borrows all but the logger.
  PartReader(IncrementalReader& reader, SnapshotWindow& window, IncrementalDesk& desk, ChunkHatch& hatch,
             IncrementalTally& tally, const log::Logger& logger);

  /// Goes on where `snapshot`, the one in hand, was left in `part`. Whether it was read to its end; if not, its columns
  /// have changed.
  Result<bool> read(const KeyedPart& part, IncrementalSnapshot& snapshot);

  /// Drops the rows of a chunk that came to nothing.
  void forget();
  /// After the worker's end: the batch that it holds; may be null.
  std::unique_ptr<Batch> take_batch() { return std::move(batch_); }

 private:
  using Key = IncrementalReader::Key;

  // A run through the rows of the part.
  struct Reading {
    /// The last row that was read, and the last there was when the run began; without one it is to be found out.
    Key after;
    Key last;
    /// If set, it only looks after rows that were read, and were written by this transaction or later ones: for what
    /// the stream left out while nobody was watching.
    std::optional<std::uint64_t> since;
    std::size_t rows_most = 0;
    bool at_end = false;
    bool has_changed_shape = false;
    /// In a row: chunks that were blind, that were to be read again, and that were left out.
    std::size_t blind = 0;
    std::size_t unclear = 0;
    std::size_t fruitless = 0;
    /// Rows to be read by key; how many of them at once, and in the chunk in hand.
    std::vector<Key> missed;
    std::size_t missed_most = 0;
    std::size_t asked = 0;
    bool chunk_ends_part = false;
    Key chunk_last;
    VisibleTransactions visible;
  };

  Result<bool> read_pass(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status keep_rate(const IncrementalSnapshot& snapshot);
  Status read_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status wait_for_sight();
  Status copy_chunk(const KeyedPart& part, const IncrementalSnapshot& snapshot);
  Status copy_missed(const KeyedPart& part);
  Status insert_chunk(const KeyedPart& part, IncrementalSnapshot& snapshot);
  Status settle_chunk(const SnapshotWindow::Verdict& verdict, IncrementalSnapshot& snapshot);
  void collect_missed();
  void give_up_restless_rows();

  IncrementalReader& reader_;
  SnapshotWindow& window_;
  IncrementalDesk& desk_;
  ChunkHatch& hatch_;
  IncrementalTally& tally_;
  const log::Logger logger_;
  std::uint64_t chunk_ = 0;
  std::unique_ptr<Batch> batch_;
  Reading reading_;
};

}  // namespace walcat
