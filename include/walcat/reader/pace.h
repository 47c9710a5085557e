#pragma once

#include <chrono>
#include <cstddef>

namespace walcat {

/// Decides how long a reader lets frames gather in the socket before it looks again.
///
/// A server up to 18 sends every frame by itself, and a reader that waits in poll(2) is woken for each: that costs both
/// sides more than decoding does. In a flood the reader therefore naps between looks, just so long that the socket's
/// buffer is about a third full when it wakes: a full one would stall the server. What it finds steers the next nap.
/// A lone change is never held up: only frames that follow each other closely count as a flood.
/// Threads: stage-bound (reader).
class Pace {
 public:
  using Duration = std::chrono::microseconds;

  /// The reader had to wait `waited` for the frames it got now.
  void waited(Duration waited);

  /// How long to nap before the next look; zero: hand on what there is, which has been held for `held`.
  Duration nap(Duration held) const;

  /// After a nap there were `frames` of `bytes` altogether.
  void found(std::size_t frames, std::size_t bytes);

 private:
  bool flood_ = false;
  double nap_us_ = 50;
};

}  // namespace walcat
