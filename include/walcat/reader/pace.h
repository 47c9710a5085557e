#pragma once

#include <chrono>
#include <cstddef>

namespace walcat {

/// Decides how long a reader lets frames gather in the socket before it looks again.
///
/// A server up to 18 sends every frame by itself, and a reader that waits in poll(2) is woken for each: that costs both
/// sides more than decoding does. In a flood the reader therefore naps between looks, just so long that the socket's
/// buffer is about half full when it wakes: a full one would stall the server. What it finds steers the next nap.
/// A flood is a run of frames that follow each other closely, longer than an ordinary transaction: a lone one is never
/// held up, though its frames come closely too.
/// Threads: stage-bound (reader).
class Pace {
 public:
  using Duration = std::chrono::microseconds;

  /// The reader had to wait `waited` for what comes now.
  void waited(Duration waited);

  /// A look brought `frames` of `bytes` altogether. `napped`: after a nap.
  void found(std::size_t frames, std::size_t bytes, bool napped);

  /// Whether what has been found is a run long enough to nap for.
  bool is_flood() const;

  /// How long to nap before the next look; zero: no more, frames have been held for `held`, or it is no flood.
  Duration nap(Duration held) const;

 private:
  /// Frames without a gap between them.
  std::size_t run_ = 0;
  /// The last nap brought nothing: the server pauses.
  bool is_dry_ = false;
  double nap_us_ = 50;
};

}  // namespace walcat
