#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/model/batch.h"
#include "walcat/reader/replay_options.h"

namespace walcat {

/// Plays captures: hands out what they hold, parcel by parcel, as a slot would have brought it.
///
/// Files of one stream are played one after the other, streams of different files side by side. A recording that was
/// broken off and begun again repeats transactions; it is handed out as one stream with reconnects, so the decoder
/// drops what it has seen. A file that begins inside of a transaction begins with the next one.
///
/// Threads: stage-bound (reader).
class CapturePlayer {
 public:
  /// Opens every file and learns its streams.
  ///
  /// Errors: kRefused naming the file that can't be opened or is no capture, or the database that no file holds.
  static Result<std::unique_ptr<CapturePlayer>> open(const ReplayOptions& options);
  ~CapturePlayer();

  const ReplayOptions& options() const { return options_; }
  /// What is played; a parcel's lane is the place of its stream in here.
  const std::vector<std::shared_ptr<const StreamIdentity>>& streams() const { return streams_; }

  /// What to hand on, and when.
  struct Parcel {
    std::uint32_t lane = 0;
    CapturedParcel captured;
    std::uint64_t session = 0;
    std::uint64_t beginning = 0;
    ResumePoint resume;
    /// Since the first parcel of all; as recorded, at a speed of 1.
    std::chrono::microseconds due{0};
  };
  /// The next parcel, or nothing once all is played. Its frames are valid until the next call.
  ///
  /// Errors: kRefused, naming file and offset, where a file is damaged: failed_lanes() tells the streams that end with
  /// it.
  ///     The next call goes on with what plays beside them.
  Result<std::optional<Parcel>> next();

  /// The lanes that the last failure has ended.
  const std::vector<std::uint32_t>& failed_lanes() const { return failed_lanes_; }
  /// Nothing more is wanted of a lane.
  void end_lane(std::uint32_t lane) { lanes_[lane].is_gone = lanes_[lane].is_over = true; }

 private:
  /// Where a stream stands.
  struct Lane {
    std::shared_ptr<const StreamIdentity> stream;
    std::shared_ptr<const CapturedSession> session;
    std::uint64_t sessions = 0;
    std::uint64_t beginning = 0;
    /// When the latest parcel came.
    std::optional<std::int64_t> received_at;
    /// Nothing was handed out yet in this pass.
    bool is_fresh = true;
    /// Frames are passed over until a transaction begins.
    bool awaits_begin = false;
    /// Nothing more comes in this pass, or ever.
    bool is_over = false;
    bool is_gone = false;
  };
  /// Files that are played one after the other.
  struct Recording {
    /// Puts the other's files behind.
    void join(Recording other);

    std::vector<std::string> paths;
    std::set<std::uint32_t> lanes;
    std::size_t next_path = 0;
    std::unique_ptr<CaptureReader> reader;
    /// Nothing was read of it yet.
    bool is_file_fresh = false;
    std::optional<CapturedParcel> head;
    std::optional<std::int64_t> began;
    bool is_over = false;
  };

  explicit CapturePlayer(const ReplayOptions& options) : options_(options) {}

  Status add_file(const std::string& path);
  std::optional<std::uint32_t> lane_of(const StreamIdentity& stream);
  bool is_wanted(const StreamIdentity& stream) const;
  void begin_pass();
  Recording* choose();
  Status advance(Recording& recording);
  Status open_next(Recording& recording);
  void check_order(const Recording& recording);
  bool prepare(std::uint32_t lane_index, Parcel& parcel);
  bool begin_session(Lane& lane, Parcel& parcel);
  void skip_to_begin(Lane& lane, CapturedParcel& parcel);
  void cut_at_end(Lane& lane, CapturedParcel& parcel) const;
  std::chrono::microseconds due(const Recording& recording) const;

  const ReplayOptions options_;
  std::vector<std::shared_ptr<const StreamIdentity>> streams_;
  std::vector<Lane> lanes_;
  std::vector<Recording> recordings_;
  std::size_t turn_ = 0;
  std::uint64_t passes_ = 0;
  bool has_played_ = false;
  /// Whose frames were handed out last, to be advanced by the next call.
  Recording* current_ = nullptr;
  std::chrono::microseconds pass_began_{0};
  std::chrono::microseconds latest_{0};
  std::vector<std::uint32_t> failed_lanes_;
  /// What is left of a parcel whose beginning is passed over.
  std::string kept_;
};

}  // namespace walcat
