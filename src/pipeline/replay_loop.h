#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "batch_pool.h"
#include "lane.h"
#include "walcat/reader/capture_player.h"
#include "walcat/reader/change_filter.h"
#include "walcat/reader/tempo.h"

namespace walcat {

/// What the one reader thread of a replay does: fills batches from captures and ships them when they are due.
///
/// Threads: run() is the thread.
class ReplayLoop {
 public:
  using Shipping = std::function<void(Lane& lane, std::unique_ptr<Batch> batch)>;

  /// `lanes`: one a stream of `player`, in its order. `keeps_times`: what came at different times goes into different
  /// batches, because lines tell. `ship` sends a batch down its lane. Borrows lanes and batches.
  ReplayLoop(CapturePlayer& player, const std::vector<std::unique_ptr<Lane>>& lanes, SharedBatches& shared,
             std::uint32_t skipped_operations, bool keeps_times, Shipping shipping);

  /// Plays until all is played, somebody asks for a stop, or nothing is left that has not failed; then sees the last
  /// batches through.
  void run();

  /// When the first change was due, and what was read. Once run() has ended.
  Tempo::Clock::time_point began() const { return began_; }
  std::uint64_t frames() const { return frames_; }
  std::uint64_t frame_bytes() const { return frame_bytes_; }

 private:
  bool step();
  void fail(std::uint32_t index, const Status& status);
  bool play(const CapturePlayer::Parcel& parcel);
  bool play_whole(const CapturePlayer::Parcel& parcel);
  bool play_singly(const CapturePlayer::Parcel& parcel);
  bool keep_rate();
  Batch* batch_for(const CapturePlayer::Parcel& parcel);
  std::unique_ptr<Batch> take_free(Lane& lane);
  bool continues(const Batch& batch, const CapturePlayer::Parcel& parcel) const;
  void label(Batch& batch, const CapturePlayer::Parcel& parcel) const;
  bool wait_until(Tempo::Clock::time_point due);
  void ship(std::uint32_t lane);
  void ship_all();
  void see_through();
  bool is_stopped() const { return lanes_.front()->stop.requested(); }

  CapturePlayer& player_;
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  SharedBatches& shared_;
  const bool keeps_times_;
  const Shipping ship_;
  const Tempo::Clock::time_point began_ = Tempo::Clock::now();
  Tempo tempo_;
  std::vector<ChangeFilter> filters_;
  /// The beginning of each lane that its filter knows of.
  std::vector<std::uint64_t> begun_;
  /// Whether the rows in hand become lines.
  bool rows_count_ = false;
  /// Batches that are being filled, one a lane.
  std::vector<std::unique_ptr<Batch>> open_;
  /// When what is read now was due.
  Tempo::Clock::time_point due_;
  std::uint64_t frames_ = 0;
  std::uint64_t frame_bytes_ = 0;
};

}  // namespace walcat
