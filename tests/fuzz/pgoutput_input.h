#pragma once

namespace walcat::test {

/// Bits of the number before each frame: it opens a batch; it is the first after a lost connection.
inline constexpr unsigned kNewBatch = 0x2000;
inline constexpr unsigned kReconnect = 0x4000;

}  // namespace walcat::test
