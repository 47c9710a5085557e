#include "walcat/reader/replication_source.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cold_start.h"
#include "relation_describer.h"
#include "rule_check.h"
#include "signal_intake.h"
#include "stream_connection.h"
#include "unfinished_transactions.h"
#include "walcat/base/byte_reader.h"
#include "walcat/base/heap.h"
#include "walcat/base/postgres_time.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/listed_tables.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kLongestStatusInterval{10'000};
constexpr std::chrono::milliseconds kQuestionInterval{200};
constexpr std::chrono::milliseconds kFarewell{2'000};
// Where the server itself knows none: how long it may be silent.
constexpr std::chrono::milliseconds kSilenceLimit{60'000};
constexpr int kSleepWithoutConnection = 1'000;
constexpr std::chrono::milliseconds kSnapshotWait{1'000};
constexpr std::chrono::milliseconds kSpoolWait{1'000};
constexpr std::chrono::seconds kComplaintInterval{30};
// How often the catalog is asked for a transaction that it does not show, and after how long that is worth a word.
constexpr std::chrono::milliseconds kUnseenLeast{2}, kUnseenMost{250};
constexpr std::chrono::seconds kUnseenLong{2};
constexpr std::size_t kKeepaliveSize = 18;
// A frame for which libpq's buffer has grown.
constexpr std::size_t kLargeFrame = std::size_t{64} << 10;
// After the last large frame, before its memory goes back.
constexpr std::chrono::milliseconds kQuiet{500};
// Between new connections for the sake of memory, and where others wait for it.
constexpr std::chrono::seconds kRenewalInterval{10};
constexpr std::chrono::seconds kRenewalIntervalWhenWanted{1};
constexpr std::chrono::milliseconds kGateWait{1'000};
// Bytes after which somebody may have something else for us to do: what is spooled fills no batch.
constexpr std::size_t kTakenEnough = std::size_t{256} << 10;

bool asks_for_reply(std::string_view frame) {
  return frame.size() == kKeepaliveSize && frame[0] == 'k' && frame.back() != 0;
}

Lsn lsn_at(std::string_view frame, std::size_t offset) {
  return offset + 8 > frame.size() ? Lsn{} : Lsn{ByteReader(frame.substr(offset)).u64()};
}

// Behind the commit's position and time.
std::uint32_t xid_of_begin(std::string_view frame) {
  constexpr std::size_t kAt = kXLogDataHeader + 1 + 8 + 8;
  return kAt + 4 > frame.size() ? 0 : ByteReader(frame.substr(kAt)).u32();
}

SpoolOptions spool_options(const DatabaseOptions& options) {
  SpoolOptions spool = options.spool;
  if (spool.directory.empty()) spool.directory = std::filesystem::path(options.offset_path).parent_path();
  if (spool.directory.empty()) spool.directory = ".";
  return spool;
}

}  // namespace

ReplicationSource::ReplicationSource(const DatabaseOptions& options, std::shared_ptr<RuleMemory> rules,
                                     const Bounds& bounds, const StopRequest& stop, const log::Logger& logger)
    : options_(options),
      rules_(std::move(rules)),
      bounds_(bounds),
      stop_(stop),
      logger_(logger),
      offset_file_(options.offset_path),
      describer_(std::make_unique<RelationDescriber>(options, rules_->selection(), stop, logger)),
      table_look_(options_, rules_->selection(), logger),
      gate_(options_.large_rows, [this] { stop_.wake().notify(); }),
      unfinished_(std::make_unique<UnfinishedTransactions>(spool_options(options), logger)),
      intake_(std::make_unique<SignalIntake>(options.slot_name, logger)),
      until_(bounds.until_lsn) {}

ReplicationSource::~ReplicationSource() = default;

std::vector<SnapshotSignal> ReplicationSource::take_signals() { return intake_->take(); }

Result<ReadOutcome> ReplicationSource::read(Batch& batch) {
  if (connection_ == nullptr) {
    if (const Status connected = connect(); !connected.is_ok()) return connected;
  }
  if (snapshot_) return ReadOutcome::kSnapshot;
  if (options_.snapshot.mode == SnapshotOptions::Mode::kInitialOnly) return ReadOutcome::kEnd;
  if (!streaming_) {
    // Whoever woke us while we connected has not been heard yet.
    const Status begun = begin_stream();
    return begun.is_ok() ? Result<ReadOutcome>(ReadOutcome::kNothing) : begun;
  }
  label(batch);
  auto outcome = fill(batch);
  // What is stored need not come again, so the connection may be left.
  if (next_shrink_ && !in_transaction_ && may_shrink(Clock::now())) batch.wants_flush = true;
  if (!outcome.is_ok()) break_off(outcome.status());
  return outcome;
}

void ReplicationSource::label(Batch& batch) const {
  batch.session = sessions_;
  batch.beginning = beginning_;
  batch.database = database_;
  batch.stream = stream_;
  batch.is_utf8 = is_utf8_;
  batch.resume = offset_->done;
  if (offset_->snapshot) batch.snapshot_point = offset_->snapshot->point;
  batch.received_at = postgres_now_micros();
}

Status ReplicationSource::begin_stream() {
  if (options_.snapshot.mode != SnapshotOptions::Mode::kInitialOnly) {
    if (const Status opened = open_stream(); !opened.is_ok()) {
      break_off(opened);
      return opened;
    }
    streaming_ = true;
    const int version = connection_->server_version();
    unfinished_->begin_session({two_phase_, std::max(stored_, offset_->done.position),
                                options_.on_gap == OnGap::kContinue,
                                version >= kVersionWithLoneCommits && version < kVersionWithLonePrepares});
  }
  snapshot_.reset();
  next_status_ = next_question_ = Clock::now();
  silence_.begin(silence_limit_, Clock::now());
  return Status::ok();
}

// The connection that asked, and held the snapshot, gives way to one that does nothing but stream.
Status ReplicationSource::open_stream() {
  if (snapshot_) {
    if (Status ended = end_snapshot(*connection_, *snapshot_); !ended.is_ok()) return ended;
  }
  connection_->end(kFarewell);
  connection_.reset();
  began_ = std::max(written_, offset_->done.position);
  auto opened = walcat::open_stream(options_, *offset_, began_, two_phase_, stop_, logger_);
  // An address may lead to another server this time, a standby: what is wrong shows when everything is asked once more.
  const bool was_refused = std::exchange(stream_refused_, opened.status().code() == StatusCode::kRefused);
  if (stream_refused_ && !was_refused) return {StatusCode::kUnavailable, opened.status().message()};
  if (!opened.is_ok()) return opened.status();
  connection_ = std::move(*opened);
  return Status::ok();
}

Status ReplicationSource::connect() {
  std::optional<LastSession> last;
  if (!begins_anew_) {
    last = LastSession{*offset_, in_transaction_ ? std::max(received_, commit_lsn_) : received_};
    last->written.done = ResumePoint{std::max(written_, offset_->done.position), Lsn{}, 0};
  }
  auto start = cold_start(options_, *rules_, offset_file_, table_look_, last, stop_, logger_, broken_,
                          bounds_.until_caught_up && begins_anew_);
  if (!start.is_ok()) return start.status();
  connection_ = std::move(start->connection);
  snapshot_ = std::move(start->snapshot);
  crossed_ = std::move(start->crossed);
  two_phase_ = start->two_phase;
  streaming_ = false;
  describer_->begin_session(start->tables);
  is_utf8_ = connection_->server_encoding() != "SQL_ASCII";
  if (begins_anew_) take_first_offset(start->offset, start->flush_position);
  offset_->timeline = start->offset.timeline;
  offset_->snapshot = start->offset.snapshot;
  note_tables(*start);
  looks_.show(std::move(start->tables));
  stream_ = std::make_shared<const StreamIdentity>(
      StreamIdentity{options_.label, offset_->system_identifier, offset_->timeline, offset_->database, offset_->slot,
                     offset_->publication, static_cast<std::uint32_t>(connection_->server_version()), is_utf8_});
  ++sessions_;
  in_transaction_ = false;
  reply_due_ = false;
  confirmed_ = passed_ = Lsn{};
  received_ = std::max(received_, offset_->done.position);
  status_interval_ = kLongestStatusInterval;
  silence_limit_ = kSilenceLimit;
  if (start->wal_sender_timeout.count() > 0) {
    status_interval_ = std::min(status_interval_, start->wal_sender_timeout / 3);
    silence_limit_ = start->wal_sender_timeout;
  }
  next_status_ = next_question_ = Clock::now();
  return Status::ok();
}

// In the first session all is part of the offset that is published.
void ReplicationSource::note_tables(const StreamStart& start) {
  const bool is_first = sessions_ + 1 == beginning_;
  if (!is_first && offset_->published != start.offset.published) {
    table_news_ = TableNews{*start.offset.published, start.entered};
  }
  offset_->published = start.offset.published;
}

// What is known of tables is the reader's own: news of it may still be on the street.
void ReplicationSource::resume_from(const Offset& offset) {
  auto published = std::move(offset_->published);
  offset_ = offset;
  offset_->published = std::move(published);
}

Status ReplicationSource::look() {
  if (!is_streaming() || in_transaction_) return Status::ok();
  const auto view = looks_.take(written_);
  if (!view || !offset_->published) return Status::ok();
  follow_listed(view->members, rules_->selection());
  learn_parts(view->members, *rules_);
  if (describer_->is_outdated(view->members)) {
    renew_session();
    return Status::ok();
  }
  if (Status whole = table_look_.check(*offset_->published, *view); !whole.is_ok()) return whole;
  TableNews news = table_look_.note(*offset_->published, *view, began_);
  const bool needs_session = news.needs_session;
  if (news.known != *offset_->published) {
    offset_->published = news.known;
    table_news_ = std::move(news);
  }
  if (needs_session) renew_session();
  return Status::ok();
}

void ReplicationSource::renew_session() {
  logger_.info("beginning the stream anew: the server does not tell it of tables that are renamed above, or attached");
  close();
}

void ReplicationSource::take_first_offset(const Offset& offset, Lsn flush_position) {
  begins_anew_ = false;
  broken_ = Status::ok();
  beginning_ = sessions_ + 1;
  offset_ = offset;
  database_ = std::make_shared<const std::string>(offset.database);
  written_ = stored_ = received_ = offset.done.position;
  if (bounds_.until_caught_up) until_ = flush_position;
}

void ReplicationSource::break_off(const Status& status) {
  if (status.code() == StatusCode::kGap) broken_ = status;
  disconnect();
}

// The server, or the database, may be another one: OIDs and positions of the one before mean nothing there.
void ReplicationSource::begin_anew() {
  disconnect();
  begins_anew_ = true;
  describer_ = std::make_unique<RelationDescriber>(options_, rules_->selection(), stop_, logger_);
  table_look_.forget();
  rules_->selection().forget_followed();
  table_news_.reset();
  looks_.clear();
  intake_->forget();
}

Status ReplicationSource::take_pending() {
  while (!pending_) {
    if (unfinished_->is_walking()) {
      auto frame = unfinished_->next();
      if (!frame.is_ok()) return frame.status();
      pending_ = *frame;
      continue;
    }
    if (blocked_ && Clock::now() < next_try_) return Status::ok();
    auto frame = blocked_ ? Result<std::optional<std::string_view>>(blocked_) : connection_->next_frame();
    if (!frame.is_ok() || !*frame) return frame.status();
    const auto is_taken = take_unfinished(**frame);
    if (!is_taken.is_ok()) return is_taken.status();
    if (blocked_) return Status::ok();
    if (*is_taken) {
      ++gathering_.frames;
      gathering_.bytes += (*frame)->size();
    } else {
      pending_ = *frame;
    }
  }
  return Status::ok();
}

// Whether the frame is part of a transaction that is not over.
Result<bool> ReplicationSource::take_unfinished(std::string_view frame) {
  const auto fate = unfinished_->take(frame, in_transaction_);
  if (!fate.is_ok()) {
    // What is too much for us the server keeps.
    options_.spool.streaming = options_.spool.streaming && !fate.status().is_transient();
    return fate.status();
  }
  if (*fate != UnfinishedTransactions::Fate::kBlocked) {
    if (blocked_) logger_.info("the spool has room again");
    blocked_.reset();
    if (*fate == UnfinishedTransactions::Fate::kTaken && frame.size() > kLargeFrame) {
      gate_.pass(frame.size());
      note_large();
    }
    return *fate == UnfinishedTransactions::Fate::kTaken;
  }
  const auto now = Clock::now();
  if (!blocked_ || now >= next_complaint_) {
    logger_.warning("{}; waiting for room, nothing is lost", unfinished_->obstacle());
    next_complaint_ = now + kComplaintInterval;
  }
  blocked_ = frame;
  next_try_ = now + kSpoolWait;
  return true;
}

// Takes what has arrived; once there is something, leaves when the socket is empty and no flood is on.
Result<ReadOutcome> ReplicationSource::fill(Batch& batch) {
  gathering_ = Gathering{};
  for (bool waited = false;;) {
    const std::size_t frames_before = gathering_.frames;
    const auto taken = take_frames(batch);
    const auto now = Clock::now();
    if (gathering_.frames > 0) silence_.heard(now);
    gate_.looked(gathering_.frames > frames_before || pending_, std::exchange(is_readable_, false));
    // What has come was no larger than a batch.
    if (!pending_ && !gate_.is_unfinished()) gate_.leave();
    if (!taken.is_ok() || *taken != ReadOutcome::kNothing) return taken;
    if (const Status attended = attend_server(wants_answer() && !batch.has_frames()); !attended.is_ok())
      return attended;
    if (!gate_.is_closed()) {
      pace_.found(gathering_.frames, gathering_.bytes, gathering_.napped);
      if (!gathering_.begin) gathering_.begin = now;
      const auto nap = pace_.nap(std::chrono::duration_cast<Pace::Duration>(now - *gathering_.begin));
      if (nap > Pace::Duration::zero()) {
        gathering_ = Gathering{gathering_.begin, true, 0, 0};
        connection_->nap(nap);
        is_readable_ = true;
        continue;
      }
    }
    if (batch.has_frames()) return ReadOutcome::kFrames;
    if (shrinks()) return renew_connection();
    if (waited) return ReadOutcome::kNothing;
    if (blocked_ || unseen_since_ || gate_.is_closed()) {
      wait_for_room();
      return ReadOutcome::kNothing;
    }
    if (const Status alive = wait_for_frames(); !alive.is_ok()) return alive;
    waited = true;
  }
}

void ReplicationSource::note_large() {
  grown_at_ = received_;
  next_shrink_ = Clock::now() + kQuiet;
}

// What large frames have left: freed memory goes back to the system at once, libpq's room, which lasts as long as its
// connection, if there is too much of it. Returns whether the connection is to be renewed.
bool ReplicationSource::shrinks() {
  if (!next_shrink_) {
    // Others of this database have taken rows: of snapshots.
    if (options_.large_rows != nullptr && options_.large_rows->has_traces()) next_shrink_ = Clock::now() + kQuiet;
    return false;
  }
  gate_.claim().will_return(!in_transaction_ && !unfinished_->in_block());
  const auto now = Clock::now();
  const bool is_due = now >= *next_shrink_;
  if (is_due && options_.large_rows != nullptr && options_.large_rows->take_traces()) give_back_heap();
  if ((is_due || gate_.claim().is_wanted()) && may_shrink(now) && is_settled()) return true;
  if (!is_due) return false;
  next_shrink_.reset();
  if (gate_.claim().room() > 0) next_shrink_ = now + (may_shrink(now) ? kQuiet : kRenewalInterval);
  return false;
}

// Whether a connection may be given up for its memory: not as often as large rows come.
bool ReplicationSource::may_shrink(Clock::time_point now) const {
  if (options_.large_rows == nullptr || !options_.large_rows->keeps_too_much()) return false;
  return now - renewed_at_ >= (gate_.claim().is_wanted() ? kRenewalIntervalWhenWanted : kRenewalInterval);
}

// Nothing would be sent again, the large frame least of all.
bool ReplicationSource::is_settled() const {
  if (in_transaction_ || finishing_ || pending_ || blocked_ || unfinished_->in_block() || unfinished_->holds_any()) {
    return false;
  }
  return received_ > grown_at_ && stored_ >= received_;
}

// libpq keeps room for the largest frame it has met until its connection ends.
ReadOutcome ReplicationSource::renew_connection() {
  logger_.info("connecting anew: that gives back the memory of a change of {} KiB", gate_.claim().room() >> 10);
  renewed_at_ = Clock::now();
  disconnect();
  return ReadOutcome::kNothing;
}

Status ReplicationSource::wait_for_frames() {
  if (Status alive = check_silence(); !alive.is_ok()) return alive;
  if (Status hurries = gate_.check_patience(); !hurries.is_ok()) return hurries;
  const auto before = Clock::now();
  const bool arrived = connection_->wait(time_to_look(before));
  const auto now = Clock::now();
  // A frame may take long to come whole.
  if (arrived) silence_.heard(now);
  is_readable_ = arrived;
  pace_.waited(std::chrono::duration_cast<Pace::Duration>(now - before));
  gathering_ = Gathering{};
  return Status::ok();
}

// Moves frames into the batch until the socket is empty (kNothing), the batch is full (kFrames) or a border ends it
// all.
Result<ReadOutcome> ReplicationSource::take_frames(Batch& batch) {
  std::size_t taken_before = 0;
  for (bool looked = false;;) {
    if (const Status taken = take_pending(); !taken.is_ok()) return taken;
    if (finishing_ && !in_transaction_) return ReadOutcome::kEnd;
    if (!pending_) {
      if (blocked_ || (looked && !may_have_more(gathering_.bytes - taken_before))) return ReadOutcome::kNothing;
      taken_before = gathering_.bytes;
      if (!gate_.may_look(*connection_)) return ReadOutcome::kNothing;
      if (const Status arrived = connection_->consume_input(); !arrived.is_ok()) return arrived;
      looked = true;
      continue;
    }
    const std::size_t size = pending_->size();
    bool is_large = false;
    if (!batch.fits(size)) [[unlikely]] {
      if (batch.has_frames()) return ReadOutcome::kFrames;
      if (!gate_.may_take(size)) return ReadOutcome::kNothing;
      is_large = true;
    }
    const Border border = examine(*pending_);
    if (border == Border::kEndsBefore) return ReadOutcome::kEnd;
    if (border == Border::kGoesBack) return goes_back();
    if (message_kind(*pending_) == 'R') {
      const auto met = meet_relation(batch);
      if (!met.is_ok()) return met.status();
      if (!*met) return ReadOutcome::kNothing;
    }
    if (worth_keeping(*pending_)) {
      batch.append_frame(*pending_);
      // A server that shuts down asks, and waits until all it has sent is confirmed.
      batch.wants_flush = batch.wants_flush || asks_for_reply(*pending_);
    }
    if (is_large) [[unlikely]]
      note_taken(batch, size);
    ++gathering_.frames;
    gathering_.bytes += pending_->size();
    pending_.reset();
    if (border == Border::kEndsAfter) return ReadOutcome::kEnd;
    if (border == Border::kLeavesAfter) return ReadOutcome::kFrames;
  }
}

// False: the frame in hand waits until the catalog shows its transaction.
Result<bool> ReplicationSource::meet_relation(Batch& batch) {
  const auto now = Clock::now();
  if (unseen_since_ && now < next_try_) return false;
  auto met = describer_->meet(*pending_, commit_lsn_, xid_, batch);
  if (!met.is_ok()) return met;
  if (*met) {
    unseen_since_.reset();
    return true;
  }
  if (!unseen_since_) {
    unseen_since_ = now;
    next_complaint_ = now + kUnseenLong;
  }
  if (now >= next_complaint_) {
    const auto is_for_us = describer_->stop_waiting_for_ourselves();
    if (!is_for_us.is_ok()) return is_for_us;
    if (*is_for_us) {
      logger_.warning(
          "commits wait for walcat (synchronous_standby_names), so the catalog shows them only once they are printed; "
          "what it says of tables may be what they were before; hint: leave walcat out of synchronous_standby_names");
      return meet_relation(batch);
    }
    logger_.info(
        "transaction {} is committed in the log, and the server does not show yet what it did (does it wait for a "
        "synchronous standby?); waiting, nothing is lost",
        xid_);
    next_complaint_ = now + kComplaintInterval;
  }
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now - *unseen_since_);
  next_try_ = now + std::clamp(since / 4, kUnseenLeast, kUnseenMost);
  return false;
}

// A frame for which the batch has grown, unless all that was large about it was left out.
void ReplicationSource::note_taken(Batch& batch, std::size_t bytes) {
  if (batch.fits(0)) {
    gate_.pass(bytes);
  } else {
    batch.large = gate_.take(bytes);
  }
  note_large();
}

// Whether it is worth looking again, after a look that brought so much. In a flood the next frame comes right behind
// the last, and to look for it would be to take them one by one.
bool ReplicationSource::may_have_more(std::size_t bytes) const {
  if (bytes == 0 || gathering_.bytes >= kTakenEnough) return false;
  return !pace_.is_flood() || bytes >= Connection::kLookLeast;
}

// Follows transactions from border to border and tells where a bounded or stopping run ends.
ReplicationSource::Border ReplicationSource::examine(std::string_view frame) {
  if (frame[0] == 'k') return examine_keepalive(frame);
  switch (message_kind(frame)) {
    case 'B':
      commit_lsn_ = lsn_at(frame, kXLogDataHeader + 1);
      xid_ = xid_of_begin(frame);
      if (at_end(commit_lsn_)) return Border::kEndsBefore;
      if (commit_lsn_ < passed_) return Border::kGoesBack;
      in_transaction_ = true;
      intake_->begin();
      return Border::kInside;
    case 'M': meet_message(frame); return Border::kInside;
    case 'C': {
      const Lsn end_lsn = lsn_at(frame, kXLogDataHeader + 10);
      in_transaction_ = false;
      // What prepared transactions hold back is sent again, and was heard before.
      if (end_lsn <= received_) intake_->begin();
      receive(end_lsn);
      const auto commit_time = static_cast<std::int64_t>(lsn_at(frame, kXLogDataHeader + 18).value);
      const bool has_signals = intake_->commit(lsn_at(frame, kXLogDataHeader + 2), commit_time);
      if (finishing_ || at_end(end_lsn)) return Border::kEndsAfter;
      return has_signals ? Border::kLeavesAfter : Border::kInside;
    }
    default: return Border::kInside;
  }
}

// It would be taken for a transaction that is known.
Status ReplicationSource::goes_back() const {
  return Status(StatusCode::kProtocolError,
                fmt::format("a transaction that commits at {} begins behind {}, up to which the server had sent all",
                            commit_lsn_.to_string(), passed_.to_string()))
      .with_kind(FaultKind::kProtocol);
}

// What nobody will read goes no further.
void ReplicationSource::meet_message(std::string_view frame) {
  intake_->meet(frame.substr(kXLogDataHeader + 1));
  auto shorter = SignalIntake::without_content(frame, kXLogDataHeader + 1);
  if (!shorter) return;
  gathering_.bytes += frame.size() - shorter->size();
  shortened_ = std::move(*shorter);
  pending_ = shortened_;
}

ReplicationSource::Border ReplicationSource::examine_keepalive(std::string_view frame) {
  if (frame.size() != kKeepaliveSize) return Border::kInside;  // The decoder names the fault.
  reply_due_ = reply_due_ || asks_for_reply(frame);
  if (in_transaction_ || unfinished_->in_block()) return Border::kInside;
  receive(lsn_at(frame, 1));
  return at_end(lsn_at(frame, 1)) ? Border::kEndsAfter : Border::kInside;
}

void ReplicationSource::receive(Lsn position) {
  passed_ = std::max(passed_, position);
  if (position <= received_) return;
  received_ = position;
  silence_.progressed();
}

// A keepalive walks the street only if it brings progress, or asks for what is written and not stored yet.
bool ReplicationSource::worth_keeping(std::string_view frame) const {
  if (frame[0] != 'k' || frame.size() != kKeepaliveSize) return true;
  const Lsn known = asks_for_reply(frame) ? stored_ : written_;
  return !in_transaction_ && !unfinished_->in_block() && lsn_at(frame, 1) > known;
}

// The server is answered, but not read from.
void ReplicationSource::wait_for_room() {
  auto wait = kGateWait;
  if (blocked_ || unseen_since_) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_try_ - Clock::now());
    wait = std::max(left, std::chrono::milliseconds(0)) + std::chrono::milliseconds(1);
  }
  connection_->wait_without_reading(std::min(wait, time_to_look(Clock::now())));
  silence_.heard(Clock::now());
}

Status ReplicationSource::attend() {
  if (connection_ == nullptr) {
    pollfd wake{stop_.wake().fd(), POLLIN, 0};
    if (::poll(&wake, 1, kSleepWithoutConnection) > 0) stop_.wake().drain();
    return Status::ok();
  }
  if (!streaming_) return attend_snapshot();
  const Status attended = attend_server(false);
  gate_.rest();
  if (attended.is_ok()) {
    connection_->wait_without_reading(time_to_status());
    silence_.heard(Clock::now());
    return attended;
  }
  disconnect();
  return attended;
}

// The connection is idle and holds the snapshot; a question now and then shows whether it still lives.
Status ReplicationSource::attend_snapshot() {
  const auto now = Clock::now();
  Status alive;
  if (now >= next_status_ && !stop_.requested()) {
    next_status_ = now + status_interval_;
    // Whoever woke us meanwhile was not heard: so no wait after a question.
    alive = connection_->execute("SELECT 1");
  } else {
    connection_->wait(kSnapshotWait);
    alive = connection_->consume_input();
  }
  if (!alive.is_ok()) disconnect();
  return alive;
}

// A server that has gone without a word looks like one that has nothing to say; only the other answers.
Status ReplicationSource::check_silence() {
  const auto now = Clock::now();
  if (!silence_.is_over(now)) return Status::ok();
  silence_.give_up();
  return {StatusCode::kUnavailable, fmt::format("the server has not been heard for {:.1f} s, not even when asked",
                                                static_cast<double>(silence_.lasts(now).count()) / 1000)};
}

// Sends a status when the server asked, when there is news to confirm, and when the timer says so.
Status ReplicationSource::attend_server(bool ask_for_reply) {
  const auto now = Clock::now();
  const bool question_due = (ask_for_reply && now >= next_question_) || silence_.is_question_due(now);
  const Lsn safe = safe_position();
  const bool news = safe > confirmed_;
  if (!reply_due_ && !news && !question_due && now < next_status_) return Status::ok();
  // A server that shuts down asks until all is confirmed, or until it is told of no such position any more: what is
  // prepared keeps the slot where it is, but nobody waiting.
  const bool is_held = reply_due_ && safe < stored_ && safe == confirmed_ && stored_ >= received_;
  reply_due_ = false;
  confirmed_ = safe;
  next_status_ = now + status_interval_;
  if (question_due) {
    next_question_ = now + kQuestionInterval;
    silence_.asked(now);
  }
  return connection_->send_standby_status(std::max(received_, stored_), is_held ? Lsn{} : safe, question_due);
}

// What may be confirmed. Of transactions that are prepared this session must have heard, which it has up to where it
// has come; and the server would not send them again from beyond their PREPARE on.
Lsn ReplicationSource::safe_position() const {
  if (!two_phase_) return stored_;
  const Lsn border = unfinished_->border(stored_);
  const Lsn safe = std::min(stored_, passed_);
  return std::max(confirmed_, border ? std::min(safe, border) : safe);
}

std::chrono::milliseconds ReplicationSource::time_to_status() const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(next_status_ - Clock::now());
  const auto wait = std::max(left, std::chrono::milliseconds(0)) + std::chrono::milliseconds(1);
  return wants_answer() ? std::min(wait, kQuestionInterval) : wait;
}

std::chrono::milliseconds ReplicationSource::time_to_look(Clock::time_point now) const {
  const auto wait = time_to_status();
  if (!next_shrink_) return wait;
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(*next_shrink_ - now);
  return std::min(wait, std::max(left, std::chrono::milliseconds(0)) + std::chrono::milliseconds(1));
}

void ReplicationSource::progress(Lsn written, Lsn stored) {
  written_ = std::max(written_, written);
  stored_ = std::max(stored_, stored);
}

void ReplicationSource::close() {
  if (connection_ == nullptr) return;
  next_status_ = Clock::time_point{};
  if (streaming_ && attend_server(false).is_ok()) connection_->end_replication(kFarewell);
  disconnect();
}

void ReplicationSource::disconnect() {
  pending_.reset();
  unseen_since_.reset();
  blocked_.reset();
  unfinished_->clear();
  snapshot_.reset();
  streaming_ = false;
  looks_.clear();
  connection_.reset();
  gate_.release();
  next_shrink_.reset();
  describer_->disconnect();
}

}  // namespace walcat
