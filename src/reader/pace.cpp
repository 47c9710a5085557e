#include "walcat/reader/pace.h"

#include <algorithm>
#include <bit>

namespace walcat {

namespace {

// Frames further apart than this do not belong to one run. A walsender is silent while it gathers a transaction.
constexpr Pace::Duration kFloodGap{1'000};
// A run longer than this is a flood.
constexpr std::size_t kFloodFrames = 32;
// What a change may wait in the reader while more keep coming.
constexpr Pace::Duration kHoldMost{2'000};
// How full the buffer is to be after a nap.
constexpr double kWanted = 0.5;
constexpr double kShortestNapUs = 20;
constexpr double kLongestNapUs = 400;

// A Linux socket counts each frame with its bookkeeping against the sender's buffer (net.core.wmem_default).
constexpr std::size_t kSocketBuffer = 212'992;
std::size_t frames_until_full(std::size_t frame_bytes) {
  constexpr std::size_t kSharedInfo = 320;
  constexpr std::size_t kBufferHead = 256;
  return kSocketBuffer / (std::bit_ceil(frame_bytes + kSharedInfo) + kBufferHead);
}

}  // namespace

void Pace::waited(Duration waited) {
  is_dry_ = false;
  if (waited >= kFloodGap) run_ = 0;
}

bool Pace::is_flood() const { return run_ > kFloodFrames; }

Pace::Duration Pace::nap(Duration held) const {
  if (!is_flood() || is_dry_ || held >= kHoldMost) return Duration::zero();
  return Duration(static_cast<Duration::rep>(nap_us_));
}

void Pace::found(std::size_t frames, std::size_t bytes, bool napped) {
  run_ += frames;
  is_dry_ = frames == 0 && (napped || is_dry_);
  if (!napped || frames == 0) return;
  const double wanted = static_cast<double>(frames_until_full(bytes / frames)) * kWanted;
  const double factor = std::clamp(wanted / static_cast<double>(frames), 0.5, 1.25);
  nap_us_ = std::clamp(nap_us_ * factor, kShortestNapUs, kLongestNapUs);
}

}  // namespace walcat
