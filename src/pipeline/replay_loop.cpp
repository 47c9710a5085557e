#include "replay_loop.h"

#include <poll.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/base/shortage.h"
#include "walcat/model/frame_run.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kSleepMost{250};
constexpr std::chrono::milliseconds kClearInterval{20};

// The OID in a Relation message; 0 for any other frame.
std::uint32_t described_relation(std::string_view frame) {
  return message_kind(frame) == 'R' ? ByteReader(message_body(frame)).u32() : 0;
}

}  // namespace

ReplayLoop::ReplayLoop(CapturePlayer& player, const std::vector<std::unique_ptr<Lane>>& lanes, SharedBatches& shared,
                       std::uint32_t skipped_operations, bool keeps_times, Shipping shipping)
    : player_(player),
      lanes_(lanes),
      shared_(shared),
      keeps_times_(keeps_times),
      ship_(std::move(shipping)),
      tempo_(player.options(), began_),
      begun_(lanes.size()),
      open_(lanes.size()),
      due_(began_) {
  for (const auto& lane : lanes_) {
    filters_.emplace_back(lane->selection, skipped_operations);
    lane->set_state("playing");
  }
}

void ReplayLoop::run() {
  try {
    while (step()) {
    }
  } catch (const std::exception& error) {
    for (const auto& lane : lanes_) lane->fail(status_of(error, "reader"));
  }
  see_through();
  for (const auto& lane : lanes_) {
    if (lane->failed()) lane->logger.error("stopped: {}", lane->failure().message());
    lane->set_state("stopped");
  }
}

bool ReplayLoop::step() {
  if (is_stopped()) return false;
  const auto parcel = player_.next();
  if (!parcel.is_ok()) {
    for (const std::uint32_t lane : player_.failed_lanes()) fail(lane, parcel.status());
    return true;
  }
  if (!*parcel) return false;
  if (lanes_[(*parcel)->lane]->failed()) {
    player_.end_lane((*parcel)->lane);
    return true;
  }
  frames_ += (*parcel)->captured.frame_count;
  frame_bytes_ += (*parcel)->captured.frames.size();
  return play(**parcel);
}

// What came before is printed: nobody brings it again.
void ReplayLoop::fail(std::uint32_t index, const Status& status) {
  if (open_[index] != nullptr) ship(index);
  Lane& lane = *lanes_[index];
  while (!lane.is_clear() && !is_stopped()) {
    pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
    if (::poll(&wake, 1, static_cast<int>(kClearInterval.count())) > 0) lane.stop.wake().drain();
  }
  lane.fail(status);
}

// Rows of an incremental snapshot were one batch, and leave as one, when the last of them is due.
bool ReplayLoop::play(const CapturePlayer::Parcel& parcel) {
  const CapturedParcel& captured = parcel.captured;
  if (std::exchange(begun_[parcel.lane], parcel.beginning) != parcel.beginning) {
    filters_[parcel.lane].begin(parcel.resume.position);
  }
  if (player_.options().tempo == ReplayOptions::Tempo::kRecorded) {
    if (!wait_until(tempo_.due(parcel.due))) return false;
  } else if (!tempo_.has_rate()) {
    due_ = Tempo::Clock::time_point();
  }
  const bool is_rows = captured.snapshot != nullptr;
  if (is_rows && open_[parcel.lane] != nullptr) ship(parcel.lane);
  rows_count_ = is_rows && filters_[parcel.lane].passes_rows(*captured.snapshot);
  for (std::size_t row = 0; captured.chunk != 0 && rows_count_ && row < captured.frame_count; ++row) {
    if (!keep_rate()) return false;
  }
  const bool played = captured.chunk != 0 || !(is_rows || tempo_.has_rate()) ? play_whole(parcel) : play_singly(parcel);
  if (!played) return false;
  if (!is_rows) return true;
  if (Batch* last = open_[parcel.lane].get()) {
    last->last_mark = captured.last_mark;
    ship(parcel.lane);
  }
  return true;
}

bool ReplayLoop::play_whole(const CapturePlayer::Parcel& parcel) {
  const CapturedParcel& captured = parcel.captured;
  Batch* batch = batch_for(parcel);
  if (batch == nullptr) return false;
  if (captured.frames.size() > batch->frame_bytes() && captured.chunk == 0) return play_singly(parcel);
  if (!batch->append_frames(captured.frames, captured.frame_count)) {
    ship(parcel.lane);
    batch = batch_for(parcel);
    if (batch == nullptr) return false;
    batch->append_frames(captured.frames, captured.frame_count);
  }
  batch->notes.insert(batch->notes.end(), captured.notes.begin(), captured.notes.end());
  return true;
}

bool ReplayLoop::play_singly(const CapturePlayer::Parcel& parcel) {
  const CapturedParcel& captured = parcel.captured;
  const bool is_rows = captured.snapshot != nullptr;
  auto note = captured.notes.begin();
  for (FrameRun run(captured.frames); !run.empty(); run.pop()) {
    const std::string_view frame = run.front();
    const bool counts = tempo_.has_rate() && (is_rows ? rows_count_ : filters_[parcel.lane].passes(frame));
    if (counts && !keep_rate()) return false;
    Batch* batch = batch_for(parcel);
    if (batch == nullptr) return false;
    if (!batch->has_room(frame.size()) || (is_rows && batch->frame_count() >= batch->rows_most())) {
      ship(parcel.lane);
      batch = batch_for(parcel);
      if (batch == nullptr) return false;
    }
    if (is_rows && run.rest().size() == captured.frames.size()) batch->first_mark = captured.first_mark;
    batch->append_frame(frame);
    const std::uint32_t oid = described_relation(frame);
    if (oid != 0 && note != captured.notes.end() && (*note)->relation_oid == oid) batch->notes.push_back(*note++);
  }
  return true;
}

// A change leaves, once it may. False once a stop is asked for.
bool ReplayLoop::keep_rate() {
  if (!tempo_.has_rate()) return true;
  if (tempo_.begins_group() && !wait_until(tempo_.group_due())) return false;
  tempo_.pass();
  return true;
}

// The batch that is being filled, if the parcel goes into it, or a fresh one; null once a stop is asked for.
Batch* ReplayLoop::batch_for(const CapturePlayer::Parcel& parcel) {
  auto& batch = open_[parcel.lane];
  if (batch != nullptr && !continues(*batch, parcel)) ship(parcel.lane);
  if (batch != nullptr) return batch.get();
  Lane& lane = *lanes_[parcel.lane];
  while (!is_stopped() && batch == nullptr) batch = take_free(lane);
  if (batch != nullptr) label(*batch, parcel);
  return batch.get();
}

// Waits for a while where all are on the street.
std::unique_ptr<Batch> ReplayLoop::take_free(Lane& lane) {
  auto batch = lane.take_free(shared_);
  if (batch != nullptr) return batch;
  // What others hold open may be what is missing.
  ship_all();
  pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
  if (::poll(&wake, 1, static_cast<int>(kSleepMost.count())) > 0) lane.stop.wake().drain();
  return batch;
}

bool ReplayLoop::continues(const Batch& batch, const CapturePlayer::Parcel& parcel) const {
  const bool same_time = !keeps_times_ || batch.received_at == parcel.captured.received_at;
  return batch.session == parcel.session && batch.snapshot == parcel.captured.snapshot && same_time;
}

void ReplayLoop::label(Batch& batch, const CapturePlayer::Parcel& parcel) const {
  const CapturedParcel& captured = parcel.captured;
  batch.session = parcel.session;
  batch.beginning = parcel.beginning;
  batch.resume = parcel.resume;
  batch.run = captured.session->run;
  // Alive as long as the stream is, and the same for all of it.
  batch.database = std::shared_ptr<const std::string>(captured.stream, &captured.stream->database);
  batch.stream = captured.stream;
  batch.is_utf8 = captured.session->is_utf8;
  batch.snapshot_point = captured.session->snapshot_point;
  batch.received_at = captured.received_at;
  batch.snapshot = captured.snapshot;
  batch.chunk = captured.chunk;
  batch.chunk_commit_lsn = captured.chunk_commit_lsn;
  batch.chunk_commit_time = captured.chunk_commit_time;
  const auto due = due_ == Tempo::Clock::time_point() ? Tempo::Clock::now() : due_;
  batch.due_at = std::chrono::duration_cast<std::chrono::nanoseconds>(due.time_since_epoch()).count();
}

// Whoever waits holds nothing back. False once a stop is asked for.
bool ReplayLoop::wait_until(Tempo::Clock::time_point due) {
  due_ = due;
  auto now = Tempo::Clock::now();
  if (now < due) ship_all();
  while (now < due && !is_stopped()) {
    const auto left = std::min<Tempo::Clock::duration>(due - now, kSleepMost);
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
    const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
    pollfd wake{lanes_.front()->stop.wake().fd(), POLLIN, 0};
    if (::ppoll(&wake, 1, &timeout, nullptr) > 0) lanes_.front()->stop.wake().drain();
    now = Tempo::Clock::now();
  }
  return !is_stopped();
}

void ReplayLoop::ship(std::uint32_t lane) { ship_(*lanes_[lane], std::move(open_[lane])); }

void ReplayLoop::ship_all() {
  for (std::uint32_t i = 0; i < open_.size(); ++i) {
    if (open_[i] != nullptr) ship(i);
  }
}

// Each lane ends with a batch of its own; the keeper says when it has passed.
void ReplayLoop::see_through() {
  for (std::uint32_t i = 0; i < open_.size(); ++i) {
    while (open_[i] == nullptr) open_[i] = take_free(*lanes_[i]);
    open_[i]->is_last = true;
    ship(i);
  }
  for (const auto& lane : lanes_) {
    while (!lane->settled.load(std::memory_order_acquire)) {
      pollfd wake{lane->stop.wake().fd(), POLLIN, 0};
      if (::poll(&wake, 1, static_cast<int>(kSleepMost.count())) > 0) lane->stop.wake().drain();
    }
  }
}

}  // namespace walcat
