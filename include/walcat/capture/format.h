#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "walcat/model/stream_identity.h"

namespace walcat {

// The capture file, version 2: streams of any number of databases, in the order in which they came. Version 1 has no
// other records than 'S' and 'F'; who appends to it makes a version 2 of it.
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
//     4   flags. Bit 0: the payload is compressed. Bit 1: a stream is described in it; who looks for streams may pass
//     the
//         others over, as what first comes of a stream is in the block that describes it. A reader refuses what it does
//         not know.
//     4   size of the payload, at least 1
//     4   checksum of the payload
//     4   checksum of the 16 bytes before
//         payload, compressed: how many bytes it is otherwise (4 bytes), and these as one frame of zstd
//         payload: records, back to back; none reaches into another block
//     4     size of what follows of the record
//     1     kind
//
//   'S', a stream that frames come from. A number that was given before is given anew, and has no session yet: a run
//   that appends counts from 1.
//     4   number
//     1   flags. Bit 0: the server vouches for every text being UTF-8.
//     4   server version, as libpq counts it
//     4   timeline
//         texts: label, system identifier, database, slot, publication
//
//   'N', a session (a connection) of such a stream: what follows of the stream is of it; see Batch
//     4   number of the stream
//     8   time at which the run began that the session is of
//     8   number of the session, counted from 1 by each run
//     8   number of the session in which the stream was begun from what an offset file says
//     8   position before which everything was done then
//     8   commit LSN of the transaction that was cut there, or 0, and
//     8   how many of its changes were done
//     8   point of the snapshot, or 0
//     1   flags. Bit 0: the server vouches for every text being UTF-8.
//
//   'D', what rows of a snapshot are rows of. A number that was given before is given anew.
//     4   number
//     8   point of the snapshot
//     8   time at which it began
//     8   index of the session's first row
//     1   flags. Bit 0: a note follows the relation.
//         relation, note; see below
//
//   'P', a parcel: frames of the stream's session, in the form of pgoutput's protocol version 1, or rows of COPY's text
//     4   number of the stream
//     8   time at which the first of them came
//     1   flags. Bit 0: context: what an earlier file of the series holds and this one needs to be read by itself.
//         Bit 1: rows of a snapshot.
//     4   count of notes, and the notes: those of the Relation messages among the frames, in their order
//         of rows of a snapshot:
//     4     number of what they are rows of
//     1     mark of the first row and
//     1     mark of the last, see SnapshotMark
//     8     number of the chunk of an incremental snapshot, or 0
//     8     commit LSN and
//     8     time of the transaction that this chunk stands behind
//         frames, to the record's end: of each its size (4 bytes) and the CopyData payload
//
//   'F', a single frame, in the form of pgoutput's protocol version 1: a dead letter
//     4   number of the stream
//     1   role, see FrameRole
//     8   time at which it was taken
//     8   ordinal of its change in the transaction; of a dead letter only, else 0
//         the CopyData payload, to the record's end
//
// Descriptions; a list is its count (4 bytes) and its elements:
//
//   relation
//     4   OID
//         texts: schema, name
//     1   replica identity, as in pg_class
//     1   flags. Bit 0: its changes are wanted.
//         list of columns
//           text: name
//     4     OID of the type, and
//     4     its modifier
//     1     flags. Bit 0: part of the replica identity. Bit 1: NOT NULL. Bit 2: a type is described.
//           texts: schema and name of the type
//           type
//         list of the key's columns
//     4     position
//   note, what the catalog says of a relation
//     4   OID of the relation
//         list of columns
//           text: name
//     1     flags. Bit 0: NOT NULL.
//         list of types
//     4     OID
//     1     flags. Bit 0: it is described.
//           type
//         list of texts: names of the key's columns
//   type
//     4   OID
//         texts: schema, name
//     1   kind, as in pg_type
//     1   flags. Bit 0: the base type is described. Bit 1: the element type is.
//     4   OID of the base type, and
//     4   its modifier
//     4   OID of the element type
//     1   delimiter
//         list of texts: labels
//         base type; element type; at most kCaptureTypeDepth types deep
//
// A capture may be a series of files (see CaptureOptions::rotate_bytes), each of which can be read by itself: in it a
// stream's first parcel comes behind the stream, its session and, flagged as context, the Type and Relation messages of
// the session as they came last, with their notes. Numbers of streams and sources are each file's own. A file may begin
// inside of a transaction: who reads it by itself begins at the next Begin, and who has read the file before it leaves
// out the context. The first file of a run has none.
//
// A file may end anywhere inside its last block, or in zeros: a crash, or a disk that was full. Everything before that
// block holds. Whoever appends cuts the rest off.

inline constexpr std::string_view kCaptureMagic("WALCAP\r\n");
inline constexpr std::uint32_t kCaptureVersion = 2;
inline constexpr std::size_t kCaptureFileHeader = 16;
inline constexpr std::string_view kCaptureBlockMagic("WBLK");
inline constexpr std::size_t kCaptureBlockHeader = 20;
inline constexpr std::uint32_t kCaptureCompressed = 1;
inline constexpr std::uint32_t kCaptureDescribes = 2;
/// Bytes that the records of a compressed block take at the most: a row has no more than 1 GiB.
inline constexpr std::size_t kCaptureBlockMost = std::size_t{2} << 30;
/// Bytes that records become at most, for each byte that they are compressed to; the first 16 MiB are free. What is
/// smaller than that is written as it is.
inline constexpr std::size_t kCaptureRatioMost = 256;
inline constexpr std::size_t kCaptureRatioFree = std::size_t{16} << 20;
/// Columns of a relation: PostgreSQL's own limit is below.
inline constexpr std::uint32_t kCaptureColumnsMost = 2048;
/// Types that a note describes.
inline constexpr std::uint32_t kCaptureTypesMost = 1 << 16;
/// Domains over domains are described no deeper.
inline constexpr int kCaptureTypeDepth = 100;

/// Why a frame is in a capture.
enum class FrameRole : std::uint8_t {
  kStreamed = 0,  ///< Of a parcel.
  kContext = 1,  ///< Of a dead letter: what describes its relation, Begin, and Commit unless the run ended before. Of a
                 ///< parcel: see CapturedParcel::is_context.
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
