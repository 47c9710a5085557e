#include "reader_loop.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <utility>

#include "walcat/base/shortage.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kClearInterval{20};
constexpr std::chrono::milliseconds kStoreInterval{1'000};
constexpr std::chrono::seconds kReportInterval{10};
constexpr std::chrono::milliseconds kStatusInterval{250};
constexpr std::chrono::seconds kReminderInterval{30};

// Sleeps until `timeout` is over, but no longer than until a stop is requested.
void sleep_interruptibly(const Lane& lane, std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!lane.stop.requested() && !lane.failed()) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return;
    pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
    if (::poll(&wake, 1, static_cast<int>(left)) > 0) lane.stop.wake().drain();
  }
}

// Sleeps until somebody wakes the lane's reader, or `timeout` is over.
void sleep_until_woken(const Lane& lane, std::chrono::milliseconds timeout) {
  pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
  if (::poll(&wake, 1, static_cast<int>(timeout.count())) > 0) lane.stop.wake().drain();
}

}  // namespace

ReaderLoop::ReaderLoop(Lane& lane, SharedBatches& shared, const Bounds& bounds, const BackoffOptions& retry,
                       const CircuitBreakerOptions& breaker, std::function<void(std::unique_ptr<Batch>)> shipping,
                       std::function<void()> wake_keeper)
    : lane_(lane),
      shared_(shared),
      source_(lane.options, lane.rules, bounds, lane.stop, lane.logger),
      slot_check_(lane.options, lane.stop.wake(), lane.logger),
      look_again_(std::min(retry.initial_backoff, retry.max_backoff)),
      backoff_(retry),
      breaker_(breaker),
      ship_(std::move(shipping)),
      wake_keeper_(std::move(wake_keeper)) {}

void ReaderLoop::run() {
  try {
    incremental_ = take_on_crew();
    while (step()) {
    }
  } catch (const std::exception& error) {
    lane_.fail(status_of(error, "reader"));
  }
  lane_.set_state("stopping");
  dismiss_crew();
  lane_.set_state(lane_.failed() ? "stopped" : "stopping");
  const bool failed_reading = lane_.failed();
  if (failed_reading) lane_.logger.error("stopped: {}", lane_.failure().message());
  see_through();
  end_slot_check();
  // The decoder may meet the fault after the last frame was read.
  if (lane_.failed() && !failed_reading) lane_.logger.error("stopped: {}", lane_.failure().message());
  lane_.set_state("stopped");
}

// One read, or one wait; false once the lane is to end.
bool ReaderLoop::step() {
  if (past_stop()) return false;
  report_progress();
  serve_incremental();
  if (Status whole = look_at_tables(); !whole.is_ok()) return begin_anew(whole);
  if (!have_batch()) {
    const Status attended = source_.attend();
    return attended.is_ok() || survive(attended);
  }
  if (!source_.is_connected() && !bring_source_up_to_date()) return false;
  source_.hold_open(incremental_->is_busy());
  const bool was_streaming = source_.is_streaming();
  lane_.set_state(was_streaming ? "streaming" : "connecting");
  const auto outcome = source_.read(*batch_);
  if (!source_.begins_anew()) publish();
  attend_incremental();
  if (outcome.status().code() == StatusCode::kGap && published_) return begin_anew(outcome.status());
  if (!outcome.is_ok()) return survive(outcome.status());
  if (*outcome == ReadOutcome::kSnapshot) return take_snapshot();
  if (was_streaming || *outcome != ReadOutcome::kNothing) {
    note_success();
    // Once the stream has begun: a start that fails must have dropped nothing, and none is to wait for this.
    slot_check_.begin(source_.offset()->system_identifier);
  }
  return *outcome != ReadOutcome::kEnd;
}

bool ReaderLoop::have_batch() {
  if (batch_ == nullptr) batch_ = lane_.take_free(shared_);
  return batch_ != nullptr;
}

// Ships what was read. It ends with the last message about incremental snapshots: what they ask for is kept together
// with the position behind them, and a chunk whose place is here follows at once.
void ReaderLoop::attend_incremental() {
  const auto signals = source_.take_signals();
  incremental_->hear(signals);
  if (published_) {
    put_news();
    source_.label(*batch_);
  }
  if (batch_->has_frames() || batch_->incremental != nullptr || batch_->tables != nullptr) send(false);
  for (const SnapshotSignal& signal : signals) {
    if (signal.kind != SnapshotSignal::Kind::kMark) continue;
    if (auto chunk = incremental_->take_chunk(signal)) ship(std::move(chunk));
  }
}

void ReaderLoop::put_news() {
  batch_->incremental = incremental_->take_news();
  batch_->tables = std::exchange(tables_, nullptr);
}

void ReaderLoop::serve_incremental() {
  incremental_->look_for_worker();
  if (incremental_->wants_batch() && have_batch()) incremental_->give(std::move(batch_));
  if (incremental_->wants_passage() && published_ && have_batch()) {
    source_.label(*batch_);
    send(false);
  }
}

// A session of this run begins with all that became of the ones before. A snapshot that is on its way is looked at only
// once the writer has seen all of it that was shipped.
bool ReaderLoop::bring_source_up_to_date() {
  if (!published_) return true;
  const auto is_underway = [&] {
    const auto progress = lane_.snapshot();
    return progress && !progress->complete;
  };
  while (is_underway() && !lane_.is_clear()) {
    if (lane_.failed() || lane_.stop.requested()) return false;
    sleep_interruptibly(lane_, kClearInterval);
  }
  source_.resume_from(*lane_.identity());
  return true;
}

// What the session in hand makes known of the server, before anything of it is shipped.
void ReaderLoop::publish() {
  const Offset& offset = *source_.offset();
  if (const Status crossed = source_.take_crossed_gap(); !crossed.is_ok()) lane_.errors.note(crossed, FaultKind::kSlot);
  if (!published_) {
    lane_.publish_identity(offset);
    incremental_->resume(offset.incremental);
  } else if (offset.timeline != timeline_) {
    lane_.publish_timeline(offset.timeline);
  }
  take_table_news();
  published_ = true;
  timeline_ = offset.timeline;
  lane_.begin_session(source_.session());
}

// What the watch has seen of the publication.
Status ReaderLoop::look_at_tables() {
  if (!published_ || !source_.is_streaming()) return Status::ok();
  if (auto view = lane_.take_tables(source_.session())) source_.show(std::move(*view));
  Status whole = source_.look();
  take_table_news();
  return whole;
}

// What is known of tables goes down the street with what is to be read because of it: no offset has one without the
// other.
void ReaderLoop::take_table_news() {
  auto news = source_.take_table_news();
  if (!news) return;
  tables_ = std::make_shared<const std::vector<FollowedTable>>(std::move(news->known));
  if (news->snapshot) incremental_->add(*news->snapshot);
}

std::unique_ptr<IncrementalCrew> ReaderLoop::take_on_crew() const {
  return std::make_unique<IncrementalCrew>(lane_.options, *lane_.selection, *lane_.window, lane_.stop.wake(),
                                           lane_.logger);
}

void ReaderLoop::dismiss_crew() {
  if (incremental_ == nullptr) return;
  for (auto& batch : incremental_->dismiss()) {
    batch->clear();
    ship(std::move(batch));
  }
}

// The slot does not fit what this run has come to. The offset file decides, as at a start: another walcat on the same
// configuration may have read on and died. If it does not fit either, `on_gap` has the word.
bool ReaderLoop::begin_anew(const Status& gap) {
  lane_.logger.warning("{}; comparing with the offset file", gap.message());
  // What it reads, and has asked of this stream, may mean nothing to the next one: the offset file tells what is left.
  dismiss_crew();
  const auto ends = [&] { return lane_.failed() || lane_.stop.requested(); };
  while (!lane_.is_clear() && !ends()) sleep_interruptibly(lane_, kClearInterval);
  while (lane_.stored.load(std::memory_order_acquire) < lane_.written().value && !ends()) {
    lane_.flush_due.store(true, std::memory_order_release);
    wake_keeper_();
    sleep_until_woken(lane_, kStoreInterval);
  }
  if (ends()) return false;
  lane_.withdraw_identity();
  source_.begin_anew();
  incremental_.reset();
  incremental_ = take_on_crew();
  tables_.reset();
  published_ = false;
  return true;
}

// Reads all rows of the snapshot; then the stream may begin.
bool ReaderLoop::take_snapshot() {
  const SnapshotStart start = *source_.snapshot();
  if (const Status stored = store_session(start); !stored.is_ok()) return survive(stored);
  lane_.logger.info("snapshot: {} tables, about {:.0f} rows, {} chunks, {} workers", start.sources.size(), start.rows,
                    start.progress.chunks_left(), std::min(lane_.options.snapshot.workers, start.tasks.size()));
  lane_.set_state("reading the snapshot");
  snapshot_began_ = std::chrono::steady_clock::now();
  next_report_ = snapshot_began_ + kReportInterval;
  SnapshotCrew crew(lane_.options, start, lane_.stop.wake(), lane_.logger);
  Status status = attend_crew(crew, start);
  log::show_status(lane_.logger.database(), "");
  if (status.is_ok()) {
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - snapshot_began_;
    lane_.logger.info("snapshot complete: {} rows of {} tables in {:.1f} s", crew.rows(), start.sources.size(),
                      seconds.count());
  }
  // What the workers did not use goes home by way of the writer.
  for (auto& batch : crew.dismiss()) {
    batch->clear();
    ship(std::move(batch));
  }
  if (!status.is_ok()) ship_rest(crew);
  if (!status.is_ok()) source_.drop_snapshot();
  if (status.is_ok()) status = source_.begin_stream();
  if (status.is_ok()) note_success();
  return status.is_ok() || survive(status.or_kind(FaultKind::kSnapshot));
}

// The first session of a run is in the offset file already; later ones are for the keeper to store, before any row.
Status ReaderLoop::store_session(const SnapshotStart& start) {
  if (lane_.sessions_stored() >= start.progress.sessions) return Status::ok();
  lane_.publish_snapshot(start.progress);
  wake_keeper_();
  while (lane_.sessions_stored() < start.progress.sessions) {
    if (past_stop()) return {StatusCode::kStopped, "stopped"};
    if (Status attended = source_.attend(); !attended.is_ok()) return attended;
  }
  return Status::ok();
}

// Hands the workers batches and ships what they bring.
Status ReaderLoop::attend_crew(SnapshotCrew& crew, const SnapshotStart& start) {
  while (!crew.is_over()) {
    if (past_stop()) return {StatusCode::kStopped, "stopped"};
    if (Status failed = crew.failure(); !failed.is_ok()) return failed;
    bool shipped = false;
    // Rows that were kept back go before new ones: chunks are done with them.
    do {
      while (auto batch = crew.take(batch_)) {
        ship(std::move(batch));
        shipped = true;
      }
    } while (crew.wants_spare() && have_batch());
    while (crew.wants_batch() && have_batch()) crew.give(std::move(batch_));
    report_snapshot(crew, start);
    if (shipped || crew.is_over()) continue;
    if (Status attended = source_.attend(); !attended.is_ok()) return attended;
  }
  return Status::ok();
}

// Rows that were read are printed, so that their chunks are done, whatever ended the snapshot.
void ReaderLoop::ship_rest(SnapshotCrew& crew) {
  crew.release_kept_rows();
  while (!crew.is_over() && !lane_.failed() && !lane_.cut.load(std::memory_order_acquire)) {
    if (auto batch = crew.take(batch_)) {
      ship(std::move(batch));
      continue;
    }
    if (batch_ == nullptr) batch_ = lane_.take_free(shared_);
    if (batch_ == nullptr) sleep_until_woken(lane_, kClearInterval);
  }
  for (auto& batch : crew.discard()) {
    batch->clear();
    ship(std::move(batch));
  }
}

void ReaderLoop::ship(std::unique_ptr<Batch> batch) {
  source_.label(*batch);
  batch->large.park(false);
  ship_(std::move(batch));
}

// On a terminal a few times a second, in the log now and then.
void ReaderLoop::report_snapshot(const SnapshotCrew& crew, const SnapshotStart& start) {
  const auto now = std::chrono::steady_clock::now();
  if (log::shows_status() && now >= next_status_) {
    next_status_ = now + kStatusInterval;
    log::show_status(lane_.logger.database(), snapshot_progress(crew, start));
  }
  if (now < next_report_) return;
  next_report_ = now + kReportInterval;
  lane_.logger.info("snapshot: {}", snapshot_progress(crew, start));
}

std::string ReaderLoop::snapshot_progress(const SnapshotCrew& crew, const SnapshotStart& start) const {
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - snapshot_began_;
  const auto tasks = static_cast<double>(std::max<std::size_t>(start.tasks.size(), 1));
  const double share = static_cast<double>(crew.tasks_done()) / tasks;
  const auto left = share > 0 ? fmt::format(", about {:.0f} s left", seconds.count() / share - seconds.count()) : "";
  return fmt::format("{} rows, {:.1f} MB, {:.0f} rows/s, {:.0f} % of the chunks{}", crew.rows(),
                     static_cast<double>(crew.bytes()) / 1e6, static_cast<double>(crew.rows()) / seconds.count(),
                     100 * share, left);
}

bool ReaderLoop::past_stop() {
  if (lane_.failed()) return true;
  if (lane_.cut.load(std::memory_order_acquire)) {
    if (source_.in_transaction()) lane_.logger.warning("stopping inside a transaction; the next run goes on inside it");
    return true;
  }
  if (!lane_.stop.requested()) return false;
  if (!source_.in_transaction()) return true;
  source_.finish_at_commit();
  return false;
}

// Waits and goes on after what time may heal; false, with the lane failed, after what it will not.
bool ReaderLoop::survive(const Status& status) {
  if (status.code() == StatusCode::kStopped || lane_.stop.requested()) return false;
  if (!status.is_transient()) {
    lane_.fail(status);
    return false;
  }
  sleep_interruptibly(lane_, pause_after(status));
  breaker_.probe();
  return true;
}

// What is only waited for is looked at again and again, and said now and then. Failures make the pauses grow, those of
// the connection open the breaker.
std::chrono::milliseconds ReaderLoop::pause_after(const Status& status) {
  const auto seconds = [](std::chrono::milliseconds pause) { return static_cast<double>(pause.count()) / 1000; };
  if (status.code() == StatusCode::kWaiting) {
    lane_.set_state("waiting for the server");
    const auto now = std::chrono::steady_clock::now();
    if (status.message() != waiting_for_ || now >= next_reminder_) {
      lane_.errors.note(status);
      lane_.logger.warning("{}; looking again every {:.1f} s", status.message(), seconds(look_again_));
      waiting_for_ = status.message();
      next_reminder_ = now + kReminderInterval;
    }
    return look_again_;
  }
  lane_.errors.note(status);
  waiting_for_.clear();
  if (status.or_kind(FaultKind::kConnection).kind() == FaultKind::kConnection && breaker_.fail()) {
    lane_.set_state("circuit breaker open");
    lane_.logger.warning("{}; {} failures in a row have opened the circuit breaker; one attempt in {:.1f} s",
                         status.message(), breaker_.failures(), seconds(breaker_.open_timeout()));
    return breaker_.open_timeout();
  }
  lane_.set_state("between attempts");
  const auto pause = backoff_.next();
  lane_.logger.warning("{}; attempt {} in {:.1f} s", status.message(), backoff_.attempts() + 1, seconds(pause));
  return pause;
}

void ReaderLoop::note_success() {
  if (breaker_.state() == CircuitBreaker::State::kHalfOpen) lane_.logger.info("circuit breaker closed");
  breaker_.succeed();
  backoff_.reset();
  waiting_for_.clear();
}

void ReaderLoop::send(bool is_last) {
  batch_->is_last = is_last;
  ship_(std::move(batch_));
}

void ReaderLoop::report_progress() {
  source_.progress(lane_.written(), Lsn{lane_.stored.load(std::memory_order_acquire)});
}

// A run that ends by itself may be over before the look at the slots is.
void ReaderLoop::end_slot_check() {
  while (!slot_check_.is_over()) {
    if (lane_.stop.requested() || lane_.failed()) slot_check_.stop();
    sleep_until_woken(lane_, kClearInterval);
  }
}

// The connection stays alive while the street drains: the last position is confirmed at the end of it.
void ReaderLoop::see_through() {
  const auto attend = [&] {
    report_progress();
    if (const Status attended = source_.attend(); !attended.is_ok()) {
      lane_.logger.warning("{}; the last position is stored, but the server will learn it at the next start",
                           attended.message());
    }
  };
  while (batch_ == nullptr) {
    batch_ = lane_.take_free(shared_);
    if (batch_ == nullptr) attend();
  }
  if (published_) {
    put_news();
    source_.label(*batch_);
  }
  lane_.set_state("waiting for the output");
  send(true);
  while (!lane_.settled.load(std::memory_order_acquire)) attend();
  lane_.set_state("taking its leave");
  report_progress();
  source_.close();
}

}  // namespace walcat
