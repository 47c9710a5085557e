#include "walcat/reader/capture_player.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "walcat/base/byte_reader.h"
#include "walcat/model/frame_run.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

namespace {

// Label and timeline may change while a stream goes on.
bool is_same_stream(const StreamIdentity& a, const StreamIdentity& b) {
  return a.system_identifier == b.system_identifier && a.database == b.database && a.slot == b.slot;
}

// Whether the run that recorded both compared with its offset file in between: what it had done before counts no more,
// and the log may have gone back.
bool begins_anew(const CapturedSession& before, const CapturedSession& now) {
  return before.run == now.run && before.beginning != now.beginning;
}

// Whether it is a message outside of transactions.
bool is_outside(std::string_view frame) {
  return message_kind(frame) == 'M' && !message_body(frame).empty() && (message_body(frame)[0] & 1) == 0;
}

// The commit LSN of what begins with `frame`, as lines have it; nothing if the frame begins nothing.
std::optional<Lsn> position_of(std::string_view frame) {
  if (message_kind(frame) == 'B') return Lsn{ByteReader(message_body(frame)).u64()};
  if (!is_outside(frame)) return std::nullopt;
  ByteReader message(message_body(frame));
  message.u8();
  const Lsn end{message.u64()};
  return end ? Lsn{end.value - 1} : end;
}

// Where rows of a snapshot stand in the stream.
Lsn place_of_rows(const CapturedParcel& parcel) {
  return parcel.chunk != 0 ? parcel.chunk_commit_lsn : parcel.snapshot->point;
}

std::size_t count_frames(std::string_view frames) {
  std::size_t count = 0;
  for (FrameRun run(frames); !run.empty(); run.pop()) ++count;
  return count;
}

}  // namespace

Result<std::unique_ptr<CapturePlayer>> CapturePlayer::open(const ReplayOptions& options) {
  std::unique_ptr<CapturePlayer> player(new CapturePlayer(options));
  for (const std::string& path : options.paths) {
    if (Status added = player->add_file(path); !added.is_ok()) return added;
  }
  for (const std::string& name : options.databases) {
    const auto fits = [&](const auto& stream) { return stream->database == name || stream->label == name; };
    if (std::any_of(player->streams_.begin(), player->streams_.end(), fits)) continue;
    return Status(StatusCode::kRefused,
                  fmt::format("--databases: found \"{}\", of which no capture holds anything", name));
  }
  if (player->streams_.empty())
    return Status(StatusCode::kRefused, "the captures hold no stream to play; dead letters are none");
  player->begin_pass();
  return player;
}

CapturePlayer::~CapturePlayer() = default;

bool CapturePlayer::is_wanted(const StreamIdentity& stream) const {
  const auto fits = [&](const std::string& name) { return stream.database == name || stream.label == name; };
  return options_.databases.empty() || std::any_of(options_.databases.begin(), options_.databases.end(), fits);
}

// A file goes behind those that hold one of its streams. Where these played side by side until then, they play one
// after the other: each stream's files stay in their order.
Status CapturePlayer::add_file(const std::string& path) {
  const auto streams = CaptureReader::streams(path);
  if (!streams.is_ok()) return streams.status();
  if (streams->empty()) {
    log::write(log::Level::kWarning, "", fmt::format("capture file {}: holds no stream to play", path));
  }
  Recording fresh;
  fresh.paths.push_back(path);
  for (const auto& stream : *streams) {
    if (!is_wanted(*stream)) continue;
    auto lane = lane_of(*stream);
    if (!lane) {
      lane = static_cast<std::uint32_t>(lanes_.size());
      lanes_.emplace_back().stream = stream;
      streams_.push_back(stream);
    }
    fresh.lanes.insert(*lane);
  }
  if (fresh.lanes.empty()) return Status::ok();
  const auto is_shared = [&](std::uint32_t lane) { return fresh.lanes.contains(lane); };
  const auto shares = [&](const Recording& other) {
    return std::any_of(other.lanes.begin(), other.lanes.end(), is_shared);
  };
  const auto first = std::find_if(recordings_.begin(), recordings_.end(), shares);
  if (first == recordings_.end()) {
    recordings_.push_back(std::move(fresh));
    return Status::ok();
  }
  for (auto other = first + 1; other != recordings_.end();) {
    if (!shares(*other)) {
      ++other;
      continue;
    }
    first->join(std::move(*other));
    other = recordings_.erase(other);
  }
  first->join(std::move(fresh));
  return Status::ok();
}

void CapturePlayer::Recording::join(Recording other) {
  paths.insert(paths.end(), other.paths.begin(), other.paths.end());
  lanes.merge(other.lanes);
}

std::optional<std::uint32_t> CapturePlayer::lane_of(const StreamIdentity& stream) {
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (is_same_stream(*lanes_[i].stream, stream)) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

void CapturePlayer::begin_pass() {
  pass_began_ = latest_;
  for (Lane& lane : lanes_) {
    lane.is_fresh = true;
    lane.is_over = lane.is_gone;
  }
  for (Recording& recording : recordings_) {
    recording.next_path = 0;
    recording.reader.reset();
    recording.head.reset();
    recording.began.reset();
    recording.is_over = false;
  }
  current_ = nullptr;
  has_played_ = false;
}

Result<std::optional<CapturePlayer::Parcel>> CapturePlayer::next() {
  failed_lanes_.clear();
  for (;;) {
    Recording* recording = current_;
    current_ = nullptr;
    if (recording == nullptr) {
      const auto lacks_head = [](const Recording& one) { return !one.is_over && !one.head; };
      const auto found = std::find_if(recordings_.begin(), recordings_.end(), lacks_head);
      if (found != recordings_.end()) recording = &*found;
    }
    if (recording != nullptr) {
      if (Status advanced = advance(*recording); !advanced.is_ok()) {
        recording->is_over = true;
        failed_lanes_.assign(recording->lanes.begin(), recording->lanes.end());
        for (const std::uint32_t lane : recording->lanes) end_lane(lane);
        return advanced;
      }
      continue;
    }
    Recording* chosen = choose();
    if (chosen == nullptr) {
      // What brought nothing once never will.
      if (!has_played_ || passes_ + 1 == options_.loops) return std::optional<Parcel>();
      ++passes_;
      begin_pass();
      continue;
    }
    current_ = chosen;
    Parcel parcel;
    parcel.captured = *chosen->head;
    parcel.due = due(*chosen);
    latest_ = std::max(latest_, parcel.due);
    const auto lane = lane_of(*parcel.captured.stream);
    if (!lane) continue;
    lanes_[*lane].received_at = parcel.captured.received_at;
    if (lanes_[*lane].is_over || !prepare(*lane, parcel)) continue;
    has_played_ = true;
    return std::optional(std::move(parcel));
  }
}

// In turn, or whoever comes first by the clock.
CapturePlayer::Recording* CapturePlayer::choose() {
  Recording* chosen = nullptr;
  for (std::size_t i = 0; i < recordings_.size(); ++i) {
    Recording& recording = recordings_[(turn_ + i) % recordings_.size()];
    if (recording.is_over) continue;
    if (chosen == nullptr || (options_.tempo == ReplayOptions::Tempo::kRecorded && due(recording) < due(*chosen))) {
      chosen = &recording;
    }
  }
  if (chosen != nullptr) turn_ = static_cast<std::size_t>(chosen - recordings_.data()) + 1;
  return chosen;
}

std::chrono::microseconds CapturePlayer::due(const Recording& recording) const {
  const std::int64_t since = recording.head->received_at - *recording.began;
  return pass_began_ + std::chrono::microseconds(std::max<std::int64_t>(since, 0));
}

// Takes the recording's next parcel, out of its next file where one has ended.
Status CapturePlayer::advance(Recording& recording) {
  const auto is_over = [&](std::uint32_t lane) { return lanes_[lane].is_over; };
  recording.head.reset();
  for (;;) {
    if (std::all_of(recording.lanes.begin(), recording.lanes.end(), is_over)) break;
    if (recording.reader == nullptr) {
      if (recording.next_path == recording.paths.size()) break;
      if (Status opened = open_next(recording); !opened.is_ok()) return opened;
    }
    auto parcel = recording.reader->next_parcel();
    if (!parcel.is_ok()) return parcel.status();
    if (*parcel) {
      recording.head = std::move(**parcel);
      if (std::exchange(recording.is_file_fresh, false)) check_order(recording);
      if (!recording.began) recording.began = recording.head->received_at;
      return Status::ok();
    }
    if (const auto torn = recording.reader->torn_at(); torn && passes_ == 0) {
      log::write(log::Level::kWarning, "",
                 fmt::format("capture file {}: ends inside a block, at byte {}; everything before it is played",
                             recording.paths[recording.next_path - 1], *torn));
    }
    recording.reader.reset();
  }
  recording.is_over = true;
  return Status::ok();
}

Status CapturePlayer::open_next(Recording& recording) {
  auto reader = CaptureReader::open(recording.paths[recording.next_path++]);
  if (!reader.is_ok()) return reader.status();
  recording.reader = std::move(*reader);
  recording.is_file_fresh = true;
  return Status::ok();
}

// What a later file has brought already is dropped where an earlier one follows, and nobody would see why.
void CapturePlayer::check_order(const Recording& recording) {
  const auto lane = lane_of(*recording.head->stream);
  if (passes_ > 0 || !lane || recording.head->received_at >= lanes_[*lane].received_at.value_or(0)) return;
  log::write(
      log::Level::kWarning, lanes_[*lane].stream->label,
      fmt::format("capture file {}: was recorded before the file played before it; what lies before the position "
                  "that was come to is not played: name files in their order",
                  recording.paths[recording.next_path - 1]));
}

// Whether anything of the parcel is to be handed out; says of which session it is.
bool CapturePlayer::prepare(std::uint32_t lane_index, Parcel& parcel) {
  Lane& lane = lanes_[lane_index];
  CapturedParcel& captured = parcel.captured;
  parcel.lane = lane_index;
  if (captured.session == nullptr || !begin_session(lane, parcel)) return false;
  if (captured.snapshot != nullptr) {
    const Lsn place = place_of_rows(captured);
    return place >= options_.from_lsn && !(options_.to_lsn && place >= *options_.to_lsn);
  }
  if (lane.awaits_begin) skip_to_begin(lane, captured);
  if (options_.to_lsn) cut_at_end(lane, captured);
  return !captured.frames.empty();
}

// A session that was recorded is one of ours; each pass begins anew, and so does a run behind a gap. What describes the
// relations at the beginning of a file says nothing new to whoever has played the file before. Returns whether the
// parcel is news.
bool CapturePlayer::begin_session(Lane& lane, Parcel& parcel) {
  const auto& session = parcel.captured.session;
  const bool is_known = !lane.is_fresh && (session == lane.session || *session == *lane.session);
  if (lane.is_fresh) lane.awaits_begin = true;
  if (lane.is_fresh || begins_anew(*lane.session, *session)) lane.beginning = lane.sessions + 1;
  if (!is_known) ++lane.sessions;
  lane.is_fresh = false;
  lane.session = session;
  parcel.session = lane.sessions;
  parcel.beginning = lane.beginning;
  parcel.resume = session->resume;
  if (options_.from_lsn > parcel.resume.position) parcel.resume = {options_.from_lsn, Lsn{}, 0};
  return !(is_known && parcel.captured.is_context);
}

// The rest of a transaction whose beginning is in no file can't be told from a whole one. What describes relations, and
// what belongs to no transaction, holds all the same.
void CapturePlayer::skip_to_begin(Lane& lane, CapturedParcel& parcel) {
  kept_.clear();
  FrameRun run(parcel.frames);
  for (; !run.empty(); run.pop()) {
    const std::string_view frame = run.front();
    const char kind = message_kind(frame);
    if (kind == 'B') break;
    if (kind != 'R' && kind != 'Y' && kind != '\0' && !is_outside(frame)) continue;
    kept_.append(run.rest().substr(0, Batch::kFrameHeader + frame.size()));
  }
  lane.awaits_begin = run.empty();
  kept_.append(run.rest());
  parcel.frames = kept_;
  parcel.frame_count = count_frames(kept_);
}

void CapturePlayer::cut_at_end(Lane& lane, CapturedParcel& parcel) const {
  for (FrameRun run(parcel.frames); !run.empty(); run.pop()) {
    const auto position = position_of(run.front());
    if (!position || *position < *options_.to_lsn) continue;
    parcel.frames.remove_suffix(run.rest().size());
    parcel.frame_count = count_frames(parcel.frames);
    lane.is_over = true;
    return;
  }
}

}  // namespace walcat
