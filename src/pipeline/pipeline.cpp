#include "walcat/pipeline/pipeline.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include "batch_pool.h"
#include "broken_batch.h"
#include "gathering.h"
#include "hanging.h"
#include "lane.h"
#include "lane_options.h"
#include "leisure.h"
#include "offset_keeper.h"
#include "reader_loop.h"
#include "recorder.h"
#include "relation_notices.h"
#include "replay_loop.h"
#include "room_thread.h"
#include "slot_watch.h"
#include "thread_group.h"
#include "walcat/base/log.h"
#include "walcat/decoder/kept_rows.h"
#include "walcat/queue/queues.h"
#include "walcat/queue/signal.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/reader/listed_tables.h"
#include "walcat/serializer/serializer.h"
#include "walcat/writer/writer.h"

namespace walcat {

namespace {

std::size_t threads_or_automatic(std::size_t configured) {
  return configured != 0 ? configured : std::max<std::size_t>(1, std::thread::hardware_concurrency() / 2);
}

// A reader, a decoder and a serializer get in each other's way on fewer processors than this.
constexpr unsigned kProcessorsForRooms = 3;

// Batches that may wait for a serializer before the reader of a replay helps; fewer would leave it idle at times.
constexpr std::size_t kMostChangesWaiting = 4;

// What a stop may take beyond its deadlines: the last sync of outputs and captures, and a farewell to each server.
constexpr std::chrono::seconds kFarewellsMost{10};

// As if they were written.
void drop_lines(Batch& batch) {
  batch.changes_written += static_cast<std::uint32_t>(batch.line_ends.size());
  batch.line_ends.clear();
  batch.lines.clear(batch.line_bytes());
}

}  // namespace

/// Reader -> (frames) -> decoder -> (changes) -> serializer -> (lines) -> writer, one member function a thread.
class Pipeline::Street {
 public:
  /// `selections`: one a database, compiled. `recorder` and `player` may be null.
  Street(const PipelineOptions& options, const std::vector<std::shared_ptr<const Selection>>& selections,
         const BatchPlan& plan, std::unique_ptr<Sink> sink, std::unique_ptr<Recorder> recorder,
         std::unique_ptr<CapturePlayer> player)
      : options_(options),
        sink_(std::move(sink)),
        recorder_(std::move(recorder)),
        player_(std::move(player)),
        shared_(plan),
        changes_(plan.shared + plan.reserved_each * options.databases.size()),
        decoder_signals_(std::min(threads_or_automatic(options.street.decoders), options.databases.size())),
        writer_(*sink_, options.max_changes),
        keeper_({options.flush_interval, options.shutdown_timeout}, lanes_, *sink_, recorder_.get()) {
    const bool is_replay = player_ != nullptr;
    const std::shared_ptr<Topics> topics = topics_of(options.serializer);
    const auto large_rows = std::make_shared<LargeRows>(options.street.memory_limit);
    for (std::uint32_t i = 0; i < options.databases.size(); ++i) {
      DecoderOptions decoder = decoder_options(options, options.databases[i], selections[i], is_replay);
      if (recorder_ != nullptr) decoder.chunk_passed = [this](const Batch& batch) { keep_chunk(batch); };
      DatabaseOptions database = lane_options(options, i);
      database.topics = topics;
      database.large_rows = large_rows;
      decoder.relation_described = relation_notices(options.serializer, log::Logger(database.label), topics);
      lanes_.push_back(std::make_unique<Lane>(i, database, decoder, plan));
      const bool is_watched = !is_replay && SlotWatch::is_wanted(lanes_.back()->options);
      watches_.push_back(is_watched ? std::make_unique<SlotWatch>(*lanes_.back()) : nullptr);
    }
  }

  Status start();
  void stop();
  std::chrono::milliseconds stop_time_most() const { return 3 * options_.shutdown_timeout + kFarewellsMost; }
  void abort();
  void end_output(const Status& reason);
  std::vector<Hanging> hanging() const { return what_hangs(lanes_, closing_.load(std::memory_order_relaxed)); }
  void report() const;
  Outcome finish();

  WakeFd done;
  int output_fd() const { return sink_->watch_fd(); }

 private:
  Status start_rooms();
  Status start_readers();
  Status begin(Lane& lane);
  void give_up(Lane& lane, const Status& reason);
  void leave(Lane& lane);
  void close_rooms();
  void read(Lane& lane);
  void replay();
  void decode(std::size_t decoder);
  void ship(Lane& lane, std::unique_ptr<Batch> batch, Leisure& leisure, Serializer& serializer);
  void decode_batch(std::unique_ptr<Batch> batch, Serializer* serializer = nullptr);
  void decode_frames(Lane& lane, Batch& batch);
  bool keep(const Batch& batch);
  void keep_chunk(const Batch& batch);
  bool goes_on(const Status& recorded);
  void serialize();
  void serialize_batch(std::unique_ptr<Batch> batch, Serializer& serializer);
  void write();
  void note_delays();
  std::optional<ReplayTally> tally() const;
  void settle(Parcel parcel);
  void report_errors(const Lane& lane, const Status& known = {}) const;
  void report_errors(const log::Logger& logger, const ErrorCounters& errors, const Status& known = {}) const;
  bool output_ended() const { return output_ended_.load(std::memory_order_acquire); }

  const PipelineOptions options_;
  const std::unique_ptr<Sink> sink_;
  const std::unique_ptr<Recorder> recorder_;
  const std::unique_ptr<CapturePlayer> player_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  /// One a lane; null where there is nothing to watch.
  std::vector<std::unique_ptr<SlotWatch>> watches_;
  SharedBatches shared_;

  // Decoders and the writer put, serializers take.
  SharedQueue<Batch> changes_;
  Signal changes_signal_;

  /// 0 until all that can be had are there, for lanes are dealt among them.
  std::atomic<std::size_t> decoder_count_{0};
  std::vector<Signal> decoder_signals_;

  // Writer.
  Writer writer_;
  Signal lines_signal_;
  Gathering gathering_{lanes_};
  std::vector<Parcel> gathered_;
  Delays delays_;
  std::chrono::steady_clock::time_point last_write_;

  // The reader of a replay.
  const bool is_in_haste_ = player_ != nullptr && player_->options().tempo == ReplayOptions::Tempo::kMost;
  const bool decodes_replay_ = player_ != nullptr && std::thread::hardware_concurrency() < kProcessorsForRooms;
  std::unique_ptr<ReplayLoop> replay_loop_;

  OffsetKeeper keeper_;

  // Any thread.
  std::atomic<std::size_t> readers_running_{0};
  std::atomic<bool> frames_over_{false};
  std::atomic<bool> changes_over_{false};
  std::atomic<bool> lines_over_{false};
  std::atomic<bool> output_ended_{false};
  /// The threads that are waited for at the end.
  std::atomic<const char*> closing_{"reader"};
  mutable std::mutex mutex_;
  Status output_;

  ThreadGroup watchers_{"watch"};
  ThreadGroup readers_{"reader"};
  ThreadGroup decoders_{"decoder"};
  ThreadGroup serializers_{"serializer"};
  ThreadGroup writers_{"writer"};
  ThreadGroup keepers_{"keeper"};
  ThreadGroup clocks_{"stop clock"};
};

Status Pipeline::Street::start() {
  Status made = start_rooms();
  if (made.is_ok()) made = start_readers();
  if (made.is_ok()) return made;
  for (const auto& lane : lanes_) {
    lane->settled.store(true, std::memory_order_release);
    lane->left.store(true, std::memory_order_release);
  }
  keeper_.wake();
  close_rooms();
  return made;
}

// What every database needs.
Status Pipeline::Street::start_rooms() {
  Status made = writers_.add([this] { write(); });
  if (made.is_ok()) made = keepers_.add([this] { keeper_.run(); });
  if (made.is_ok()) made = clocks_.add([this] { keeper_.enforce_deadlines(); });
  if (made.is_ok()) {
    made = serializers_.add_some(threads_or_automatic(options_.street.serializers),
                                 [this](std::size_t) { return [this] { serialize(); }; });
  }
  if (made.is_ok()) {
    made = decoders_.add_some(decoder_signals_.size(), [this](std::size_t i) { return [this, i] { decode(i); }; });
    decoder_count_ = decoders_.size();
    decoder_count_.notify_all();
  }
  return made;
}

Status Pipeline::Street::start_readers() {
  readers_running_ = player_ != nullptr ? 1 : lanes_.size();
  if (player_ != nullptr) return readers_.add([this] { replay(); });
  for (const auto& lane : lanes_) {
    if (const Status begun = begin(*lane); !begun.is_ok()) {
      give_up(*lane, begun);
      leave(*lane);
    }
  }
  return Status::ok();
}

Status Pipeline::Street::begin(Lane& lane) {
  if (SlotWatch* watch = watches_[lane.index].get()) {
    if (Status made = watchers_.add([watch] { watch->run(); }); !made.is_ok()) return made;
  }
  return readers_.add([this, &lane] { read(lane); });
}

// Of a lane without a reader nothing more is stored.
void Pipeline::Street::give_up(Lane& lane, const Status& reason) {
  lane.fail(reason);
  lane.logger.error("stopped: {}", lane.failure().message());
  lane.set_state("stopped");
  lane.settled.store(true, std::memory_order_release);
  keeper_.wake();
}

void Pipeline::Street::leave(Lane& lane) {
  lane.left.store(true, std::memory_order_release);
  if (readers_running_.fetch_sub(1) == 1) done.notify();
}

void Pipeline::Street::read(Lane& lane) {
  try {
    Leisure leisure;
    Serializer serializer(options_.serializer);
    ReaderLoop(
        lane, shared_, options_.bounds, options_.retry, options_.breaker,
        [&](std::unique_ptr<Batch> batch) { ship(lane, std::move(batch), leisure, serializer); },
        [this] { keeper_.wake(); })
        .run();
  } catch (const std::exception& error) {
    if (!is_shortage(error)) throw;
    give_up(lane, status_of(error, readers_.name()));
  }
  leave(lane);
}

// One thread plays for all lanes, so that their times and their rate are one.
void Pipeline::Street::replay() {
  Leisure leisure;
  Serializer serializer(options_.serializer);
  replay_loop_ = std::make_unique<ReplayLoop>(
      *player_, lanes_, shared_, skipped_operations(options_.serializer), tells_times(options_.serializer),
      [&](Lane& lane, std::unique_ptr<Batch> batch) { ship(lane, std::move(batch), leisure, serializer); });
  replay_loop_->run();
  for (const auto& lane : lanes_) lane->left.store(true, std::memory_order_release);
  readers_running_.store(0);
  done.notify();
}

// A live stream leaves its reader idle for most of the time, and to wake two more threads for a batch costs more than
// to decode and serialize it. So a reader with time to spare does both by itself; one without hands the batch over, and
// so does one whose batch may have to wait for a disk: it has a server to answer. A replay has none, and is never idle
// unless its tempo lets it be: where processors are too few for its rooms, its reader decodes in any case, and
// serializes what the serializers do not get done.
void Pipeline::Street::ship(Lane& lane, std::unique_ptr<Batch> batch, Leisure& leisure, Serializer& serializer) {
  const bool may_wait = recorder_ != nullptr || lane.options.on_poison == OnPoison::kDeadLetter;
  const bool has_time = !is_in_haste_ && leisure.has_time();
  if (!may_wait && (has_time || decodes_replay_) && lane.decoder_is_free()) {
    const bool serializes = has_time || changes_.size() >= kMostChangesWaiting;
    lane.number(*batch);
    guarded("reader", [&] { decode_batch(std::move(batch), serializes ? &serializer : nullptr); });
    return;
  }
  lane.ship(std::move(batch));
  decoder_signals_[lane.index % decoder_count_].notify();
}

void Pipeline::Street::decode(std::size_t decoder) {
  Signal& signal = decoder_signals_[decoder];
  decoder_count_.wait(0);
  for (;;) {
    const auto ticket = signal.ticket();
    const bool over = frames_over_.load(std::memory_order_acquire);
    bool idle = true;
    for (std::size_t i = decoder; i < lanes_.size(); i += decoder_count_) {
      if (auto batch = lanes_[i]->take_frames()) {
        idle = false;
        decode_batch(std::move(batch));
      }
    }
    if (!idle) continue;
    if (over) return;
    signal.wait(ticket);
  }
}

// `serializer`: who decodes serializes too; null: a serializer's thread does.
void Pipeline::Street::decode_batch(std::unique_ptr<Batch> batch, Serializer* serializer) {
  Lane& lane = *lanes_[batch->lane];
  if (!lane.failed() && !output_ended() && keep(*batch)) {
    if (options_.street.stop_after != Room::kReader) decode_frames(lane, *batch);
  } else {
    withhold(*batch);
  }
  lane.note_decoded();
  if (options_.street.stop_after == Room::kDecoder) {
    batch->changes_written = static_cast<std::uint32_t>(batch->changes.size());
  }
  if (batch->changes_written == batch->changes.size()) {
    lane.deliver(std::move(batch));
    lines_signal_.notify();
  } else if (serializer != nullptr) {
    serialize_batch(std::move(batch), *serializer);
  } else {
    changes_.put(std::move(batch));
    changes_signal_.notify();
  }
}

// Where memory is short in the middle of a change, nobody knows how much of it is there: nothing of the batch is taken.
void Pipeline::Street::decode_frames(Lane& lane, Batch& batch) {
  try {
    const Status decoded = lane.decoder.decode(batch);
    lane.note_dead_letters(lane.decoder.dead_letters());
    if (!decoded.is_ok()) {
      lane.fail(decoded);
      withhold(batch);
    }
  } catch (const std::bad_alloc& shortage) {
    lane.fail(status_of(shortage, decoders_.name()));
    break_off(batch, 0);
    lane.break_off_behind(batch);
  }
}

// Of a chunk only what the stream does not know better is kept, which the decoder shows.
bool Pipeline::Street::keep(const Batch& batch) {
  return recorder_ == nullptr || batch.chunk != 0 || goes_on(recorder_->record(batch));
}

void Pipeline::Street::keep_chunk(const Batch& batch) {
  const FrameText rows = kept_rows(batch);
  goes_on(recorder_->record_rows(batch, rows.bytes, rows.count));
}

bool Pipeline::Street::goes_on(const Status& recorded) {
  if (!recorded.is_ok()) end_output(recorded.code() == StatusCode::kStopped ? Status::ok() : recorded);
  return recorded.is_ok();
}

void Pipeline::Street::serialize() {
  Serializer serializer(options_.serializer);
  for (;;) {
    const auto ticket = changes_signal_.ticket();
    const bool over = changes_over_.load(std::memory_order_acquire);
    auto batch = changes_.take();
    if (batch == nullptr) {
      if (over) return;
      changes_signal_.wait(ticket);
      continue;
    }
    serialize_batch(std::move(batch), serializer);
  }
}

void Pipeline::Street::serialize_batch(std::unique_ptr<Batch> batch, Serializer& serializer) {
  Lane& lane = *lanes_[batch->lane];
  try {
    if (!output_ended()) serializer.serialize(*batch);
  } catch (const std::bad_alloc& shortage) {
    lane.fail(status_of(shortage, serializers_.name()));
    break_off(*batch, batch->changes_written + batch->line_ends.size());
    lane.break_off_behind(*batch);
  }
  if (options_.street.stop_after == Room::kSerializer) drop_lines(*batch);
  lane.deliver(std::move(batch));
  lines_signal_.notify();
}

void Pipeline::Street::write() {
  std::vector<Batch*> parcels;
  for (;;) {
    const auto ticket = lines_signal_.ticket();
    const bool over = lines_over_.load(std::memory_order_acquire);
    gathering_.next(gathered_);
    if (gathered_.empty()) {
      if (over) return;
      lines_signal_.wait(ticket);
      continue;
    }
    if (!output_ended()) {
      parcels.clear();
      for (const auto& [batch, is_whole] : gathered_) parcels.push_back(batch.get());
      const Status written = writer_.write(parcels);
      if (player_ != nullptr) note_delays();
      for (const auto& [batch, is_whole] : gathered_) lanes_[batch->lane]->note_written(*batch, is_whole);
      if (!written.is_ok()) end_output(writer_.max_changes_reached() ? Status::ok() : written);
    }
    for (auto& parcel : gathered_) settle(std::move(parcel));
    gathered_.clear();
    for (const auto& lane : lanes_) lane->wake_if_starving();
  }
}

void Pipeline::Street::note_delays() {
  last_write_ = std::chrono::steady_clock::now();
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(last_write_.time_since_epoch());
  for (const auto& [batch, is_whole] : gathered_) {
    delays_.add(now - std::chrono::nanoseconds(batch->due_at), batch->changes_written - batch->changes_noted);
  }
}

std::optional<ReplayTally> Pipeline::Street::tally() const {
  if (replay_loop_ == nullptr) return std::nullopt;
  ReplayTally tally;
  tally.time = std::max(last_write_, replay_loop_->began()) - replay_loop_->began();
  tally.frames = replay_loop_->frames();
  tally.frame_bytes = replay_loop_->frame_bytes();
  tally.line_bytes = writer_.bytes_written();
  tally.delays = delays_;
  for (const auto& lane : lanes_) {
    tally.changes += lane->changes_written();
    tally.lanes.push_back({lane->options.label, lane->changes_written()});
  }
  return tally;
}

void Pipeline::Street::settle(Parcel parcel) {
  auto& [batch, is_whole] = parcel;
  Lane& lane = *lanes_[batch->lane];
  if (!is_whole) {
    if (!output_ended()) {
      changes_.put(std::move(batch));
      changes_signal_.notify();
      return;
    }
    lane.pass();
  }
  const bool is_last = batch->is_last;
  const bool wants_flush = batch->wants_flush || batch->ends_snapshot;
  const bool has_chunks = !batch->chunks_done.empty();
  lane.give_back(std::move(batch), shared_);
  if (!is_last && !wants_flush && !has_chunks) return;
  if (wants_flush) lane.flush_due.store(true, std::memory_order_release);
  if (is_last) {
    lane.set_state("storing its position");
    lane.drained.store(true, std::memory_order_release);
  }
  keeper_.wake();
}

void Pipeline::Street::end_output(const Status& reason) {
  {
    const std::lock_guard lock(mutex_);
    if (output_ended_.load(std::memory_order_relaxed)) return;
    output_ = reason;
    if (!reason.is_ok()) sink_->errors.note(reason, FaultKind::kOutput);
    output_ended_.store(true, std::memory_order_release);
  }
  for (const auto& lane : lanes_) {
    lane->cut.store(true, std::memory_order_release);
    lane->stop.request();
  }
}

void Pipeline::Street::stop() {
  keeper_.begin_stop();
  for (const auto& lane : lanes_) lane->stop.request();
}

void Pipeline::Street::abort() {
  sink_->interrupt();
  if (recorder_ != nullptr) recorder_->interrupt();
  for (const auto& lane : lanes_) {
    lane->cut.store(true, std::memory_order_release);
    lane->stop.request();
  }
}

void Pipeline::Street::report() const {
  for (const auto& lane : lanes_) {
    lane->logger.info("{}; {} changes written, up to {}, stored up to {}", lane->state(), lane->changes_written(),
                      lane->written().to_string(), Lsn{lane->stored.load(std::memory_order_acquire)}.to_string());
    report_errors(*lane);
  }
  report_errors(log::Logger("output"), sink_->errors);
}

void Pipeline::Street::report_errors(const Lane& lane, const Status& known) const {
  report_errors(lane.logger, lane.errors, known);
  if (lane.dead_letters() > 0) {
    const std::string& path = lane.options.dead_letter_path;
    lane.logger.info("dead letters: {}{}", lane.dead_letters(), path.empty() ? "" : ", in " + path);
  }
  if (lane.values_repaired() > 0) lane.logger.info("values that were no UTF-8: {}", lane.values_repaired());
  if (lane.values_as_text() > 0) lane.logger.info("values printed as text: {}", lane.values_as_text());
}

// A single fault that is `known` was told just now.
void Pipeline::Street::report_errors(const log::Logger& logger, const ErrorCounters& errors,
                                     const Status& known) const {
  for (const ErrorCounters::Count& count : errors.counts()) {
    if (count.total == 1 && count.last_message == known.message()) continue;
    logger.info("errors: {}: {}, {} in the last hour, the last at {:%Y-%m-%dT%H:%M:%SZ}: {}", fault_word(count.kind),
                count.total, count.last_hour, fmt::gmtime(ErrorCounters::Clock::to_time_t(count.last_time)),
                count.last_message);
  }
}

// From the readers down, each room is told that nothing follows once the room before it has ended.
void Pipeline::Street::close_rooms() {
  const auto close = [](std::atomic<bool>& over, Signal& signal) {
    over.store(true, std::memory_order_release);
    signal.notify();
  };
  const auto join = [&](ThreadGroup& threads) {
    closing_.store(threads.name(), std::memory_order_relaxed);
    threads.join();
  };
  join(readers_);
  for (const auto& watch : watches_) {
    if (watch != nullptr) watch->stop();
  }
  join(watchers_);
  join(keepers_);
  join(clocks_);
  frames_over_.store(true, std::memory_order_release);
  for (Signal& signal : decoder_signals_) signal.notify();
  join(decoders_);
  close(changes_over_, changes_signal_);
  join(serializers_);
  close(lines_over_, lines_signal_);
  join(writers_);
  closing_.store("log", std::memory_order_relaxed);
}

Outcome Pipeline::Street::finish() {
  close_rooms();
  Outcome outcome;
  for (const auto& lane : lanes_) {
    outcome.databases.push_back({lane->options.label, lane->failure()});
    if (lane->written()) {
      lane->logger.info("wrote {} changes, up to {}", lane->changes_written(), lane->written().to_string());
    }
    report_errors(*lane, lane->failure());
  }
  report_errors(log::Logger("output"), sink_->errors, output_);
  outcome.output = output_;
  outcome.offsets = keeper_.failure();
  outcome.replay = tally();
  return outcome;
}

Pipeline::Pipeline(std::unique_ptr<Street> street) : street_(std::move(street)) {}
Pipeline::~Pipeline() = default;

Result<std::unique_ptr<Pipeline>> Pipeline::create(const PipelineOptions& options, std::unique_ptr<Sink> sink,
                                                   std::unique_ptr<CapturePlayer> player) {
  const auto plan = plan_batches(options.street, options.databases.size());
  if (!plan.is_ok()) return plan.status();
  std::vector<std::shared_ptr<const Selection>> selections;
  for (const DatabaseOptions& database : options.databases) {
    auto selection = selection_of(database);
    if (!selection.is_ok()) return selection.status().with_context(database.label);
    selections.push_back(*selection);
  }
  std::unique_ptr<Recorder> recorder;
  if (options.capture) {
    auto opened = Recorder::open(*options.capture);
    if (!opened.is_ok()) return opened.status();
    recorder = std::move(*opened);
  }
  return std::unique_ptr<Pipeline>(new Pipeline(
      std::make_unique<Street>(options, selections, *plan, std::move(sink), std::move(recorder), std::move(player))));
}

Status Pipeline::start() { return street_->start(); }
void Pipeline::stop() { street_->stop(); }
std::chrono::milliseconds Pipeline::stop_time_most() const { return street_->stop_time_most(); }
void Pipeline::abort() { street_->abort(); }
std::vector<Hanging> Pipeline::hanging() const { return street_->hanging(); }
void Pipeline::report() const { street_->report(); }
void Pipeline::output_closed() {
  street_->end_output({StatusCode::kOutputFailed, "output stdout: the reader closed the pipe"});
}
int Pipeline::done_fd() const { return street_->done.fd(); }
int Pipeline::output_fd() const { return street_->output_fd(); }
Outcome Pipeline::finish() { return street_->finish(); }

}  // namespace walcat
