#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walcat/model/batch.h"
#include "walcat/model/change.h"
#include "walcat/model/relation.h"
#include "walcat/model/visible_transactions.h"

namespace walcat {

/// Where the rows of an incremental snapshot and the stream's changes of the same rows meet.
///
/// A worker reads a chunk of rows as of some moment and has it inserted into the stream where everything that the
/// chunk sees has come by. In between lies the window. Rows that a change in the window touches are left out of the
/// chunk: the stream has brought something as new, or newer. A chunk must not be read while it is blind to a
/// transaction whose changes came by before the window was opened: nobody remembers what those touched.
///
/// Keys travel as texts, a column each, in the order of the table's key.
/// Threads: the worker's half and the decoder's half, each from one thread, at the same time.
class SnapshotWindow {
 public:
  using Key = std::vector<std::string>;

  /// A published table and what tells its rows apart, in the stream as well as in the chunks.
  struct Table {
    std::uint32_t relation_oid = 0;
    std::vector<std::string> key_columns;
  };

  /// What became of a chunk.
  struct Verdict {
    std::size_t printed = 0;
    /// The stream brought these.
    std::size_t left_out = 0;
    /// Nothing was printed; the chunk is to be read again.
    bool again = false;
  };

  // The worker's half.

  /// A worker is taken on, after abandon() or the first one.
  void begin();
  /// Asks the decoder to follow transactions; it does once it sees another batch.
  void follow();
  bool is_following() const { return is_following_.load(std::memory_order_acquire); }
  /// Waits until it does; false if abandon() was called before.
  bool wait_for_follower();
  /// Whether a batch is to go by, for the decoder to follow. Any thread.
  bool lacks_follower() const { return !is_following() && is_wanted_.load(std::memory_order_acquire); }
  /// Nothing more is to be followed. Whatever was on its way is left out.
  void forget();
  /// Transactions below this ID, the next one to be given out once the decoder follows, are none of ours.
  void begin_at(std::uint64_t next_xid);
  /// The table whose rows are read from now on.
  void watch(const Table& table);

  /// Opens the window of `chunk`, a number that no chunk had before. Its snapshot is to be taken afterwards.
  void open(std::uint64_t chunk);
  /// Whether a transaction that the chunk's snapshot does not see may have come by before the window was opened.
  bool is_blind(const VisibleTransactions& snapshot);
  /// The rows of the chunk, as COPY wrote them as of `snapshot`, are in `batch`; what else is touched from now on does
  /// not matter. Returns the key of the last one.
  Key hold(const Batch& batch, const Relation& relation, const VisibleTransactions& snapshot);
  /// Gives the window up.
  void close();
  /// Waits until the chunk has passed the decoder; nothing if abandon() was called.
  std::optional<Verdict> wait_for_verdict();
  /// Wakes the worker for good. Any thread.
  void abandon();
  /// Keys of rows that the stream brought without some of their values, and that no chunk will bring any more: each is
  /// to be read by itself. Nothing if there were too many: the table is to be read anew.
  std::optional<std::vector<Key>> take_missed();

  // The decoder's half, between enter() and the end of what it returns.

  /// Locks the window for a batch; owns nothing if there is nothing to follow.
  std::unique_lock<std::mutex> enter();
  void pass_transaction(std::uint32_t xid);
  /// A change of a row came by. `old_cells` and `new_cells` may be null.
  void touch(const Relation& relation, const Batch& batch, OldTuple old, const Cell* old_cells, const Cell* new_cells);
  void touch_all(const Relation& relation);
  bool expects(std::uint64_t chunk) const { return is_open_ && chunk == chunk_; }
  /// Whether the chunk's row is to be left out.
  bool leaves_out(const Relation& relation, const Batch& batch, const Cell* cells);
  /// The chunk has passed.
  void conclude(std::size_t printed, std::size_t left_out);

 private:
  // A change of a row, and whether it came without some of the row's values.
  struct Touch {
    std::uint32_t xid = 0;
    bool is_incomplete = false;
  };
  // What has come by of a row: the stream's is as new as the chunk's (`touched`), newer (`outdated`), newer without
  // some values (`missing`).
  struct Fate {
    bool is_touched = false;
    bool is_seen_incomplete = false;
    bool is_outdated = false;
    bool is_missing = false;
  };

  bool matches(const Relation& relation);
  bool key_of(const Batch& batch, const Cell* cells, const Cell* fallback, std::string& key) const;
  void note(const std::string& key, bool is_incomplete);
  void judge(Fate& fate, const Touch& touch) const;
  bool sees(std::uint32_t xid) const;
  void miss(const std::string& key);
  void remember(std::uint32_t xid);
  bool came_by(std::uint64_t xid) const;
  void end_window();

  std::atomic<bool> is_wanted_{false};
  std::atomic<bool> is_following_{false};
  mutable std::mutex mutex_;
  std::condition_variable news_;
  bool is_abandoned_ = false;

  // Transactions that came by since begin_at(): one bit each from first_xid_ on, those of the open window apart.
  std::optional<std::uint32_t> first_xid_;
  std::uint64_t next_xid_ = 0;
  std::vector<bool> came_by_;
  std::vector<std::uint32_t> in_window_;

  Table table_;
  // Of the relation as the stream describes it, or the chunk.
  const Relation* matched_ = nullptr;
  std::vector<std::size_t> key_positions_;

  std::uint64_t chunk_ = 0;
  bool is_open_ = false;
  bool is_held_ = false;
  /// Something was touched that can't be told.
  bool is_unclear_ = false;
  bool all_touched_ = false;
  /// Before the chunk is held: what was touched. Afterwards: the chunk's rows.
  std::unordered_map<std::string, std::vector<Touch>> touched_;
  std::size_t touches_ = 0;
  std::unordered_map<std::string, Fate> rows_;
  VisibleTransactions snapshot_;
  std::uint32_t current_xid_ = 0;
  std::vector<Key> missed_;
  std::optional<Verdict> verdict_;
  std::string scratch_;
};

}  // namespace walcat
