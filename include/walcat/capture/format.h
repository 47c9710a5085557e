#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "walcat/model/stream_identity.h"

namespace walcat {

// The capture file, version 1: frames of any number of databases, in the order in which they came.
//
// Integers are big-endian, as in the frames. A text is its size (4 bytes) and its bytes. Times are microseconds since
// 2000-01-01 UTC. A checksum is a CRC-32C. The file only ever grows, by whole blocks.
//
//   file header, 16 bytes, the same in every version
//     8   "WALCAP\r\n"
//     4   version
//     4   checksum of the 12 bytes before
//   blocks, back to back, until the end
//     4   "WBLK"
//     4   flags. Bit 0 is kept for payloads that are compressed with zstd. A reader refuses what it does not know.
//     4   size of the payload, at least 1
//     4   checksum of the payload
//     4   checksum of the 16 bytes before
//         payload: records, back to back; none reaches into another block
//     4     size of what follows of the record
//     1     kind: 'S' or 'F'
//
//   'S', a stream that frames come from. A number that was given before is given anew: a run that appends counts
//   from 1.
//     4   number
//     1   flags. Bit 0: the server vouches for every text being UTF-8.
//     4   server version, as libpq counts it
//     4   timeline
//         texts: label, system identifier, database, slot, publication
//
//   'F', a frame of such a stream, in the form of pgoutput's protocol version 1
//     4   number of the stream
//     1   role, see FrameRole
//     8   time at which it was taken
//     8   ordinal of its change in the transaction; of a dead letter only, else 0
//         the CopyData payload, to the record's end
//
// A file may end anywhere inside its last block, or in zeros: a crash, or a disk that was full. Everything before that
// block holds. Whoever appends cuts the rest off.

inline constexpr std::string_view kCaptureMagic("WALCAP\r\n");
inline constexpr std::uint32_t kCaptureVersion = 1;
inline constexpr std::size_t kCaptureFileHeader = 16;
inline constexpr std::string_view kCaptureBlockMagic("WBLK");
inline constexpr std::size_t kCaptureBlockHeader = 20;

/// Why a frame is in a capture.
enum class FrameRole : std::uint8_t {
  kStreamed = 0,    ///< Every frame of the stream is.
  kContext = 1,     ///< Of a dead letter: what describes its relation, Begin, and Commit unless the run ended before.
  kDeadLetter = 2,  ///< It could not be decoded.
};

/// One frame as a capture holds it.
struct CapturedFrame {
  std::shared_ptr<const StreamIdentity> stream;
  FrameRole role = FrameRole::kStreamed;
  /// Microseconds since 2000-01-01 UTC.
  std::int64_t taken_at = 0;
  /// With the commit LSN of the transaction around it, a dead letter's identity.
  std::uint64_t index = 0;
  /// Borrowed from whoever hands the frame out.
  std::string_view bytes;
};

}  // namespace walcat
