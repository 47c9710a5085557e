#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/capture/dead_letters.h"
#include "walcat/decoder/snapshot_window.h"
#include "walcat/model/batch.h"
#include "walcat/selection/rule_memory.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// What a decoder does beyond decoding.
struct DecoderOptions {
  /// Is shown each relation that was not known as it is, before its first change; null: nobody looks.
  std::function<void(const Relation&, const std::string& database)> relation_described;
  /// What is wanted of the stream; null: everything.
  std::shared_ptr<const Selection> selection;
  /// The same, with what its rules have hidden so far; null: relations are not compared with what they were.
  std::shared_ptr<RuleMemory> rules;
  /// Whether the borders of transactions become changes, and changes are counted per transaction and table.
  bool transactions = false;
  /// Whether updates that change the key are to be split in two records.
  bool split_key_changes = false;
  /// Operations that are not printed, a bit each; they are not counted either.
  std::uint32_t skipped = 0;
  /// Whether text that is no UTF-8 is an error; else it is replaced.
  bool refuse_invalid_utf8 = false;
  /// Where frames go that can't be decoded and that the stream can do without; null: they are errors.
  std::shared_ptr<DeadLetters> dead_letters;
  /// Whether what the catalog says of relations is heeded; else they are as if nobody had asked.
  bool use_notes = true;
  /// Where rows of incremental snapshots meet the stream; null: those that come are all printed.
  std::shared_ptr<SnapshotWindow> window;
  /// Is shown each chunk of an incremental snapshot once the window has left out what the stream knows better, and
  /// before anything is dropped because nobody wants it printed; null: nobody looks.
  std::function<void(const Batch&)> chunk_passed;
};

/// Frames that went to the dead letters.
struct DeadLetterTally {
  std::uint64_t count = 0;
  /// What was wrong with the first.
  Status first;
};

class RelationCache;
struct RelationRules;
class TransactionCount;

/// Turns the frames of one database into changes: pgoutput, protocol version 1, and rows of a snapshot.
///
/// Keeps the state that spans batches: relations and types of the session, the open transaction, and what has been
/// done before, so that transactions a server sends again after a reconnect are dropped here.
class Decoder {
 public:
  explicit Decoder(const DecoderOptions& options = {});
  ~Decoder();

  /// Decodes every frame of `batch` and appends the changes, in frame order.
  ///
  /// Units: positions are Lsn; commit time is microseconds since 2000-01-01 UTC.
  /// Threads: stage-bound (decoder). Batches must come in sequence.
  /// Ownership: cells view the batch's frame bytes and live until Batch::clear(); relations are shared and immutable,
  ///     so later schema changes do not touch them.
  /// Errors: kProtocolError on malformed bytes, naming LSN, relation and byte. The batch then holds what came before
  ///     the bad frame, and no further batch of this database may be decoded. Never retryable. With dead letters, only
  ///     where the stream makes no sense any more, or where they can't be kept; else they are on the disk on return.
  ///     kRefused where a rule is lost (RuleMemory::apply()); the batch then holds what came before.
  /// Source: PostgreSQL manual, protocol-replication and protocol-logicalrep-message-formats.
  Status decode(Batch& batch);

  /// The dead letters of the batch that was decoded last.
  const DeadLetterTally& dead_letters() const { return dead_letters_; }

 private:
  class Message;

  Status decode_stream(Batch& batch);
  Status decode_rows(Batch& batch);
  Status decode_chunk(Batch& batch);
  Status pass_chunk(Batch& batch);
  Result<std::shared_ptr<const Relation>> relation_of(const Batch& batch);
  RelationRules relation_rules() const;
  Status read_row(char* row, std::size_t size, const Relation& relation);
  void start_session(const Batch& batch);
  bool decode_frame(std::string_view frame, Status& status);
  bool decode_control(std::string_view frame, Status& status);
  bool refuse(Message& message, char kind, Status& status);
  void keepalive(Lsn wal_end);
  bool wants(Operation operation, const Relation* relation) const;
  bool wants_change(Operation operation, const Relation* relation, std::uint64_t records = 1);
  bool is_unchanged(const Relation& relation, std::size_t old_cells) const;
  bool changes_key(const Relation& relation, OldTuple old, std::size_t old_cells) const;
  Change& put_change(Operation operation, const Relation* relation);
  Change& add_change(Operation operation, const Relation* relation, Lsn lsn, std::size_t cells_begin);
  void check_text(Message& message, Operation operation, const Relation* relation, std::size_t cells_begin);
  void check_prefix(Message& message, std::string_view prefix, bool is_seen);
  bool is_sound(std::string_view tuple, const Cell* cells, std::size_t count, std::uint32_t sizes) const;
  static bool is_sound(std::string_view row);
  Status check_texts();
  Status refuse_row(const Change& change, std::size_t cell);
  void reach(Lsn position);

  void begin(Message& message);
  void commit(Message& message);
  void relation(Message& message);
  void type(Message& message);
  void check_descriptions(Message& message) const;
  void insert(Message& message);
  void update(Message& message);
  void remove(Message& message);
  void truncate(Message& message);
  void logical_message(Message& message);
  void origin(Message& message);

  bool can_do_without(char kind, const Message& message) const;
  void set_aside(char kind, const Message& message, const Status& fault);
  void forget_relation(std::string_view frame);
  void put_dead_letter(char kind, std::string_view frame, const Status& fault);
  void put_captured(std::string_view frame, FrameRole role, std::uint64_t index = 0);
  Status sync_dead_letters();

  const Relation* known_relation(Message& message, bool is_row = true);
  bool apply_rules(Message& message, std::uint32_t oid, bool is_row);
  void tuple(Message& message, const Relation& relation);
  void faulty_tuple(Message& message, std::size_t count);
  OldTuple old_tuple(Message& message, const Relation& relation, std::uint8_t marker);

  const DecoderOptions options_;
  std::unique_ptr<RelationCache> relations_;
  std::unique_ptr<TransactionCount> count_;
  std::uint64_t session_ = 0;
  std::uint64_t beginning_ = 0;
  std::int64_t run_ = 0;

  // What is done.
  Lsn position_;
  Lsn last_message_lsn_;
  Lsn last_commit_end_;
  Lsn open_commit_lsn_;
  std::uint64_t open_changes_ = 0;

  // The transaction in hand.
  bool in_transaction_ = false;
  Transaction transaction_;
  std::uint64_t next_index_ = 0;
  /// What was described last, before the change of that index, and directly before it.
  struct Described {
    std::uint32_t root = 0;
    std::uint32_t last = 0;
    std::uint64_t index = 0;
  };
  Described described_;
  /// Changes of the transaction with a lower index went down the street before.
  std::uint64_t done_below_ = 0;
  /// Ordinals of the change in hand among the transaction's records, and among those of its table.
  std::uint64_t total_order_ = 0;
  std::uint64_t table_order_ = 0;

  // The transaction's dead letters, and what is known of it for them to be read.
  bool has_dead_letters_ = false;
  std::string begin_frame_;
  std::string origin_frame_;

  // The snapshot's table in hand, all tables of its session so far, and rows since the session's first.
  std::shared_ptr<const SnapshotSource> snapshot_;
  std::map<std::shared_ptr<const SnapshotSource>, std::shared_ptr<const Relation>> snapshot_relations_;
  std::uint64_t rows_ = 0;
  std::uint64_t rows_beginning_ = 0;
  std::int64_t rows_run_ = 0;

  // The batch in hand, and the window if there is one to look through.
  Batch* batch_ = nullptr;
  SnapshotWindow* window_ = nullptr;
  std::size_t notes_taken_ = 0;
  bool transaction_in_batch_ = false;
  /// Whether there is text that is no UTF-8 in the message in hand, and among the batch's changes.
  bool has_invalid_text_ = false;
  bool batch_has_invalid_text_ = false;
  /// Why a relation is not followed.
  Status refused_;

  // The batch's dead letters, and what stood in it before the first one.
  DeadLetterTally dead_letters_;
  bool must_sync_ = false;
  std::size_t sound_changes_ = 0;
  std::vector<ProgressPoint> sound_points_;
};

}  // namespace walcat
