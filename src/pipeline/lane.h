#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "batch_pool.h"
#include "walcat/base/counted_notice.h"
#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/decoder/decoder.h"
#include "walcat/metrics/error_counters.h"
#include "walcat/model/batch.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/queue/queues.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/table_look.h"

namespace walcat {

/// One database's way down the street, and how far it has come.
///
/// Life of a batch: take_free (reader) -> frames (reader to decoder) -> serializers -> deliver (decoder or serializer)
/// -> collect (writer) -> give_back (writer). One thread holds it at a time. Order holds by construction: the reader
/// numbers the batches, whoever finishes one puts it into the slot of its number, and the writer collects the slots in
/// turn. There are as many slots as the lane can have batches, so a slot is free before its number comes round again.
///
/// Positions only grow, and each is at or below the one before: read, `written` (writer: its lines have left), `stored`
/// (keeper: it is in the offset file), confirmed (reader: the server was told).
class Lane {
 public:
  Lane(std::uint32_t index, const DatabaseOptions& options, const DecoderOptions& decoder_options,
       const BatchPlan& plan);
  ~Lane();

  const std::uint32_t index;
  const DatabaseOptions options;
  const std::shared_ptr<const Selection> selection;
  const std::shared_ptr<RuleMemory> rules;
  const log::Logger logger;
  const OffsetFile offset_file;
  const std::shared_ptr<SnapshotWindow> window;

  // Any thread.

  /// Asks the reader to end at the next commit, and wakes it.
  StopRequest stop;
  /// Asks the reader to end at once; follow with `stop.request()`.
  std::atomic<bool> cut{false};
  /// Ends the lane with `status`: no more batches are decoded. The first failure stays.
  void fail(const Status& status);
  bool failed() const { return failed_.load(std::memory_order_acquire); }
  Status failure() const;
  /// What went wrong, whether or not it was survived.
  ErrorCounters errors;
  /// Counts and reports the dead letters that a batch has left behind.
  void note_dead_letters(const DeadLetterTally& letters);
  std::uint64_t dead_letters() const { return dead_letters_.load(std::memory_order_relaxed); }
  /// Values whose bytes were no UTF-8, and values that output.debezium has no form for.
  std::uint64_t values_repaired() const { return values_repaired_.total(); }
  std::uint64_t values_as_text() const { return values_as_text_.total(); }
  /// A look at the publication, taken in the session that began_session() told of last; the reader is woken for it.
  void show_tables(TableView view, std::uint64_t session);
  /// What was shown since this was asked, if the session is still that one: a later one has looked itself.
  std::optional<TableView> take_tables(std::uint64_t session);
  /// Counts the reader's sessions; those that it looked at the publication for have begun.
  void begin_session(std::uint64_t session) { session_.store(session, std::memory_order_release); }
  std::uint64_t session() const { return session_.load(std::memory_order_acquire); }
  /// What the lane is doing, in words.
  void set_state(const char* words) { state_.store(words, std::memory_order_relaxed); }
  const char* state() const { return state_.load(std::memory_order_relaxed); }

  // Reader.

  /// A free batch, numbered by ship(); null when all are on the street, and then the writer will wake the reader.
  std::unique_ptr<Batch> take_free(SharedBatches& shared);
  /// Gives a batch that leaves the reader its number.
  void number(Batch& batch);
  /// Whether everything that was numbered has been decoded. The decoder is the reader's own then, until ship().
  bool decoder_is_free() const { return next_to_ship_ == decoded_.load(std::memory_order_acquire); }
  /// Numbers a batch and sends it on to the decoder's thread.
  void ship(std::unique_ptr<Batch> batch);
  /// The first session is known: offsets can be stored from now on. Before any of its batches is shipped.
  void publish_identity(const Offset& offset);
  /// The server has gone over to another timeline, which holds all that was read.
  void publish_timeline(std::uint32_t timeline);
  /// What was published holds no longer; nothing is stored until publish_identity(). The lane must be clear.
  void withdraw_identity();
  /// A session of a snapshot begins with what is left of it.
  void publish_snapshot(const SnapshotProgress& progress);
  /// Sessions of the snapshot that the offset file knows of. None may print a row before it is known: its indices could
  /// be given out again.
  std::uint32_t sessions_stored() const { return sessions_stored_.load(std::memory_order_acquire); }
  /// Whether everything that was shipped has come back: what was written of it is noted.
  bool is_clear() const { return next_to_ship_ == given_back_.load(std::memory_order_acquire); }

  // Decoder, or the reader in its place: see decoder_is_free().

  std::unique_ptr<Batch> take_frames() { return frames_.take(); }
  Decoder decoder;
  /// Done with the decoder for a batch.
  void note_decoded() { decoded_.fetch_add(1, std::memory_order_release); }

  // Decoder and serializers.

  /// Puts a batch whose lines are ready where the writer collects it in turn.
  void deliver(std::unique_ptr<Batch> batch);

  /// Nothing of later batches is to be printed: the rest of this one, which is not delivered yet, is missing.
  void break_off_behind(const Batch& batch);

  // Writer.

  /// The next batch in order, if it is ready. Behind one that was broken off all are empty.
  std::unique_ptr<Batch> collect();
  /// The batch collected last was written whole, or is not wanted any more: the next one may be collected.
  void pass() { ++next_to_write_; }
  /// Returns a batch that was passed.
  void give_back(std::unique_ptr<Batch> batch, SharedBatches& shared);
  /// Wakes the reader if it waits for a free batch.
  void wake_if_starving();
  /// Notes what the output has accepted of `batch`. `is_whole`: all of its lines were offered; if some of them were not
  /// taken, nothing that follows counts as written.
  void note_written(Batch& batch, bool is_whole = false);

  // Keeper, or whoever reads.

  std::optional<Offset> identity() const;
  /// Counts identities that were withdrawn.
  std::uint64_t beginning() const { return beginning_.load(std::memory_order_acquire); }
  /// Stores `offset`, unless its identity was withdrawn since `beginning` was asked, or another walcat, which took over
  /// the slot, has stored a position beyond it.
  Status store(const Offset& offset, std::uint64_t beginning);
  /// How far the database's snapshot has come; nothing if there is none.
  std::optional<SnapshotProgress> snapshot() const;
  /// Whether the snapshot came further since this was asked.
  bool take_snapshot_news() { return snapshot_moved_.exchange(false, std::memory_order_acquire); }
  Lsn written() const { return Lsn{written_.load(std::memory_order_acquire)}; }
  /// The transaction that the output took in part. True only once the lane is drained.
  ResumePoint written_in_part() const { return written_in_part_; }
  std::uint64_t changes_written() const { return changes_written_.load(std::memory_order_relaxed); }

  /// The keeper stored, or was given, so many sessions.
  void note_sessions(std::uint32_t sessions) { sessions_stored_.store(sessions, std::memory_order_release); }
  /// The snapshot's progress could not be stored: it is news again.
  void return_snapshot_news() { snapshot_moved_.store(true, std::memory_order_release); }

  /// Its progress is to be stored now and not with the next interval.
  std::atomic<bool> flush_due{false};
  /// Chunks were done; with others, their progress is to be stored soon.
  std::atomic<bool> chunks_due{false};
  /// The last batch has passed the writer.
  std::atomic<bool> drained{false};
  /// Stored, for the server to be told.
  std::atomic<std::uint64_t> stored{0};
  /// The last offset is stored, or could not be: the reader may take its leave.
  std::atomic<bool> settled{false};
  /// The last offset is stored: what was printed does not come again, were it a part of a transaction.
  std::atomic<bool> is_stored_whole{false};
  /// The reader has gone.
  std::atomic<bool> left{false};

 private:
  // Any thread.
  mutable std::mutex mutex_;
  Status failure_;
  std::optional<Offset> identity_;
  // Where the tables of its snapshot stand, by OID; empty: to be made when it is needed.
  std::unordered_map<std::uint32_t, std::size_t> table_places_;
  std::optional<TableView> tables_;
  std::uint64_t tables_session_ = 0;
  std::atomic<std::uint64_t> session_{0};
  std::atomic<bool> snapshot_moved_{false};
  std::atomic<std::uint32_t> sessions_stored_{0};
  std::atomic<bool> failed_{false};
  std::atomic<std::uint64_t> last_to_print_{std::numeric_limits<std::uint64_t>::max()};
  std::atomic<const char*> state_{"connecting"};
  std::atomic<std::uint64_t> dead_letters_{0};

  std::mutex storing_;
  std::atomic<std::uint64_t> beginning_{0};

  // Reader.
  std::uint64_t next_to_ship_ = 0;
  std::atomic<bool> starving_{false};

  // Decoder to reader: what was decoded happened before the reader finds it decoded.
  std::atomic<std::uint64_t> decoded_{0};

  SpscQueue<Batch> frames_;    // Reader to decoder.
  SpscQueue<Batch> reserved_;  // Writer to reader.
  // Deliverer to writer: release when a batch is put, acquire when it is taken, so its contents come with it.
  std::vector<std::atomic<Batch*>> slots_;

  // Writer.
  void note_values(Batch& batch);
  void note_incremental(const Batch& batch);
  void note_chunks(const Batch& batch);
  SnapshotProgress::Table* find_table(SnapshotProgress& progress, std::uint32_t oid);
  std::uint64_t next_to_write_ = 0;
  bool is_cut_off_ = false;
  std::atomic<std::uint64_t> given_back_{0};
  ResumePoint written_in_part_;
  std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> changes_written_{0};
  CountedNotice values_repaired_;
  CountedNotice values_as_text_;
};

}  // namespace walcat
