#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/status.h"
#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"

namespace walcat {

class AppendFile;
class Compressor;
class RecordEncoder;

/// What a capture is written to, and how.
struct CaptureOptions {
  std::string path;
  /// Whether blocks are compressed (zstd, level 1): about a sixth of the bytes, for four times the time.
  bool compress = false;
  /// Bytes after which the next file is begun; a parcel that is larger has a file of its own. The files of `out.wcap`
  /// are out.000001.wcap, out.000002.wcap, ...; a new run goes on in the last one. 0: one file, of the name itself.
  std::uint64_t rotate_bytes = 0;
};

/// Appends parcels and single frames to a capture file, or to a series of them; see format.h.
///
/// On a full disk nothing is lost and no file torn for good: what is gathered stays, and is written by a later
/// write_gathered() or sync(). Any other failure is final.
/// Threads: one at a time. Between processes, and writers of one process, the file is locked.
class CaptureWriter {
 public:
  /// Opens the file, made if it does not exist, to append; a last block that is not whole is cut off.
  ///
  /// Errors: kRefused, naming file and offset, if it can't be opened or made, somebody else writes it, it is no
  ///     capture, of a newer version, or damaged before its last block; kUnavailable while there is no room for it.
  static Result<std::unique_ptr<CaptureWriter>> open(const CaptureOptions& options);
  static Result<std::unique_ptr<CaptureWriter>> open(const std::string& path) {
    CaptureOptions options;
    options.path = path;
    return open(options);
  }
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  /// The file that is written now.
  const std::string& path() const;
  /// Bytes that open() has cut off.
  std::uint64_t bytes_cut() const { return bytes_cut_; }

  /// Appends `parcel`, whose stream and session must not be null; its frames are copied. What is gathered goes to the
  /// file in blocks of about 256 KiB, or 1 MiB before they are compressed. Once one could not be written, nothing more
  /// is, and sync() says why; but see is_out_of_room().
  void append(const CapturedParcel& parcel);
  /// The same of a single frame, whose stream must not be null.
  void append(const CapturedFrame& frame);

  /// Whether what is gathered could not be written for want of room. Whoever appends nevertheless has it gathered in
  /// memory; the way out is write_gathered(), again and again.
  bool is_out_of_room() const { return is_out_of_room_; }

  /// Writes what is gathered, without waiting for the disk.
  ///
  /// Errors: kUnavailable while there is no room, and nothing is lost; else kRefused, for good.
  Status write_gathered();

  /// Writes what is gathered and returns once everything appended is on the disk.
  ///
  /// Errors: kUnavailable while there is no room, and nothing is lost; else kRefused, for good: what was appended since
  ///     the last sync() may be missing.
  Status sync();

 private:
  CaptureWriter(const CaptureOptions& options, std::unique_ptr<AppendFile> file, std::uint64_t number);

  template <typename Piece>
  void gather(const Piece& piece, std::size_t bytes);
  void make_way(std::size_t bytes);
  bool has_enough() const;
  bool is_empty() const { return block_.size() <= kCaptureBlockHeader; }
  std::string_view finished_block();
  Status write_block();
  Status begin_next_file();
  void begin_payload();

  const CaptureOptions options_;
  std::unique_ptr<AppendFile> file_;
  /// Streams that are described in blocks before the one in hand.
  std::uint32_t streams_written_ = 0;
  std::uint64_t bytes_cut_ = 0;
  /// Of the file in its series; and whether what is gathered goes to the next one.
  std::uint64_t number_ = 0;
  bool is_next_due_ = false;
  /// Room for a block's header, then its records; the same of a compressed one.
  std::string block_;
  std::string compressed_;
  /// Null: blocks are not compressed.
  const std::unique_ptr<Compressor> compressor_;
  const std::unique_ptr<RecordEncoder> records_;
  bool is_out_of_room_ = false;
  Status status_;
};

}  // namespace walcat
