#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/awaited_looks.h"
#include "walcat/reader/options.h"
#include "walcat/reader/pace.h"
#include "walcat/reader/row_gate.h"
#include "walcat/reader/silence.h"
#include "walcat/reader/snapshot.h"
#include "walcat/reader/snapshot_signal.h"
#include "walcat/reader/source.h"
#include "walcat/reader/table_look.h"

namespace walcat {

class RelationDescriber;
class SignalIntake;
class UnfinishedTransactions;
struct StreamStart;

/// A database's logical replication slot as a source: from cold start to stream, again after every failure.
///
/// Looks only as deep into frames as borders need: where a transaction begins and ends, and what a keepalive says.
class ReplicationSource : public Source {
 public:
  /// `stop` wakes the source and, while it connects, makes it give up. Borrowed.
  ReplicationSource(const DatabaseOptions& options, std::shared_ptr<RuleMemory> rules, const Bounds& bounds,
                    const StopRequest& stop, const log::Logger& logger);
  ~ReplicationSource() override;

  Result<ReadOutcome> read(Batch& batch) override;
  Status attend() override;
  void progress(Lsn written, Lsn stored) override;
  void finish_at_commit() override { finishing_ = true; }
  bool in_transaction() const override { return in_transaction_; }
  void close() override;

  /// The offset that the run, or what begin_anew() has made of it, started with; but its timeline is the present one.
  /// Null before the first session.
  const Offset* offset() const { return offset_ ? &*offset_ : nullptr; }

  /// Whether rows are still to be read between the changes: a run until caught up waits for them.
  void hold_open(bool is_held) { is_held_open_ = is_held; }

  /// Forgets where this run has come to, so that the next read() begins as the first one did: from the offset file,
  /// which must hold all that was written, and with the choice that `on_gap` makes. Nothing may be on the street.
  void begin_anew();

  /// The gap that the last first session was begun over; ok if there was none, or it was taken.
  Status take_crossed_gap() { return std::exchange(crossed_, Status::ok()); }

  /// Whether the next session is such a first one.
  bool begins_anew() const { return begins_anew_; }

  /// Counts the sessions that have begun.
  std::uint64_t session() const { return sessions_; }
  bool is_connected() const { return connection_ != nullptr; }
  bool is_streaming() const { return connection_ != nullptr && streaming_; }
  /// The snapshot that is to be read before the stream; null if there is none. It lives until begin_stream(), or until
  /// attend() or begin_stream() fails.
  const SnapshotStart* snapshot() const { return snapshot_ ? &*snapshot_ : nullptr; }
  /// The snapshot has been read: the stream may begin.
  Status begin_stream();
  /// The snapshot can't be read to its end: the next read() connects anew and takes what is left.
  void drop_snapshot() { disconnect(); }
  /// What the run has come to since its last session began, for the next one to begin from: all of the offset, as the
  /// keeper would store it, so that nothing that changed meanwhile is forgotten; but the tables as they were found
  /// last, which may be on their way to the writer still. Not while a session lasts.
  void resume_from(const Offset& offset);
  /// What messages about incremental snapshots said that came by, in their order. The batch that read() filled last
  /// ends with the transaction of the last of them.
  std::vector<SnapshotSignal> take_signals();
  /// What a look at the publication, or a session after the first, has found of its tables: what the offset is to know
  /// of them, and what is to be read with it.
  std::optional<TableNews> take_table_news() { return std::exchange(table_news_, std::nullopt); }
  /// A look at the publication, from beside this session's stream.
  void show(TableView view) { looks_.show(std::move(view)); }
  /// Compares what was shown with what is known, once the stream has come to where it was seen. Ends the session where
  /// only another one can bring the tables as they are now.
  ///
  /// Errors: kGap; the offset file is to be looked at then.
  Status look();
  /// Puts what is common to the session's batches on `batch`.
  void label(Batch& batch) const;

 private:
  using Clock = std::chrono::steady_clock;
  enum class Border { kInside, kEndsBefore, kEndsAfter, kLeavesAfter, kGoesBack };

  Status connect();
  Status open_stream();
  void note_tables(const StreamStart& start);
  void renew_session();
  void take_first_offset(const Offset& offset, Lsn flush_position);
  void disconnect();
  void break_off(const Status& status);
  Result<ReadOutcome> fill(Batch& batch);
  Status wait_for_frames();
  bool may_have_more(std::size_t bytes) const;
  Result<ReadOutcome> take_frames(Batch& batch);
  Result<bool> meet_relation(Batch& batch);
  Status take_pending();
  Result<bool> take_unfinished(std::string_view frame);
  Border examine(std::string_view frame);
  Status goes_back() const;
  Border examine_keepalive(std::string_view frame);
  void meet_message(std::string_view frame);
  bool shrinks();
  bool is_settled() const;
  bool may_shrink(Clock::time_point now) const;
  ReadOutcome renew_connection();
  void note_large();
  void note_taken(Batch& batch, std::size_t bytes);
  void wait_for_room();
  bool worth_keeping(std::string_view frame) const;
  bool at_end(Lsn position) const {
    return until_ && position >= *until_ && !(is_held_open_ && bounds_.until_caught_up);
  }
  void receive(Lsn position);
  Status attend_server(bool ask_for_reply);
  Lsn safe_position() const;
  Status check_silence();
  bool wants_answer() const { return until_ || looks_.is_awaited(); }
  Status attend_snapshot();
  std::chrono::milliseconds time_to_status() const;
  std::chrono::milliseconds time_to_look(Clock::time_point now) const;

  DatabaseOptions options_;
  std::shared_ptr<RuleMemory> rules_;
  Bounds bounds_;
  const StopRequest& stop_;
  log::Logger logger_;
  OffsetFile offset_file_;

  // The session.
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<RelationDescriber> describer_;
  std::shared_ptr<const std::string> database_;
  std::shared_ptr<const StreamIdentity> stream_;
  bool is_utf8_ = true;
  std::optional<Offset> offset_;
  /// Whether the next session begins from the offset file, as the first one does.
  bool begins_anew_ = true;
  /// The gap that the stream met last, until a session has begun all the same.
  Status broken_;
  Status crossed_;
  std::optional<SnapshotStart> snapshot_;
  TableLook table_look_;
  AwaitedLooks looks_;
  std::optional<TableNews> table_news_;
  bool streaming_ = false;
  /// Whether the last attempt to begin the stream was refused.
  bool stream_refused_ = false;
  /// Whether transactions come when they are prepared.
  bool two_phase_ = false;
  std::uint64_t sessions_ = 0;
  /// Where the session's stream began.
  Lsn began_;
  /// The session that began with the offset file.
  std::uint64_t beginning_ = 0;
  std::chrono::milliseconds status_interval_{10'000};
  Clock::time_point next_status_;
  Clock::time_point next_question_;
  std::chrono::milliseconds silence_limit_{60'000};
  Silence silence_;
  std::optional<std::string_view> pending_;

  // Frames that are larger than a batch.
  RowGate gate_;
  /// Whether the next look will find something.
  bool is_readable_ = false;
  /// What was received when the last one came.
  Lsn grown_at_;
  /// When to look whether its memory can go back.
  std::optional<Clock::time_point> next_shrink_;
  Clock::time_point renewed_at_;

  /// Since when `pending_` waits for the catalog to show its transaction.
  std::optional<Clock::time_point> unseen_since_;

  // Transactions that have not committed; a frame that waits for room among them.
  std::unique_ptr<UnfinishedTransactions> unfinished_;
  std::optional<std::string_view> blocked_;
  Clock::time_point next_try_;
  Clock::time_point next_complaint_;

  // The fill in hand: since when its first frames are held, and what came since the last nap.
  struct Gathering {
    std::optional<Clock::time_point> begin;
    bool napped = false;
    std::size_t frames = 0;
    std::size_t bytes = 0;
  };
  Gathering gathering_;
  Pace pace_;

  // The stream.
  std::unique_ptr<SignalIntake> intake_;
  /// The frame in hand, if it goes on without its content.
  std::string shortened_;
  bool in_transaction_ = false;
  /// The transaction that was begun last, and where it is to commit.
  std::uint32_t xid_ = 0;
  Lsn commit_lsn_;
  bool finishing_ = false;
  bool is_held_open_ = false;
  std::optional<Lsn> until_;
  bool reply_due_ = false;
  Lsn received_;
  /// How far this session has come: all that the server had to say before is here.
  Lsn passed_;
  Lsn written_;
  Lsn stored_;
  Lsn confirmed_;
};

}  // namespace walcat
