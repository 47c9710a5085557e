#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/status.h"
#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"

namespace walcat {

class Compressor;
class RecordEncoder;

/// What a capture is written to, and how.
struct CaptureOptions {
  std::string path;
  /// Whether blocks are compressed (zstd, level 1): about a sixth of the bytes, for four times the time.
  bool compress = false;
};

/// Appends parcels and single frames to a capture file; see format.h.
///
/// Threads: one at a time. Between processes, and writers of one process, the file is locked.
class CaptureWriter {
 public:
  /// Opens the options' path, made if it does not exist, to append; a last block that is not whole is cut off.
  ///
  /// Errors: kRefused, naming file and offset, if it can't be opened or made, somebody else writes it, it is no
  /// capture,
  ///     of a newer version, or damaged before its last block.
  static Result<std::unique_ptr<CaptureWriter>> open(const CaptureOptions& options);
  static Result<std::unique_ptr<CaptureWriter>> open(const std::string& path) { return open(CaptureOptions{path}); }
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  /// Bytes that open() has cut off.
  std::uint64_t bytes_cut() const { return bytes_cut_; }

  /// Appends `parcel`, whose stream and session must not be null; its frames are copied. What is gathered goes to the
  /// file in blocks of about 256 KiB, or 1 MiB before they are compressed. Once one could not be written, nothing more
  /// is, and sync() says why.
  void append(const CapturedParcel& parcel);
  /// The same of a single frame, whose stream must not be null.
  void append(const CapturedFrame& frame);

  /// Writes what is gathered, without waiting for the disk.
  ///
  /// Errors: as sync().
  Status write_gathered();

  /// Writes what is gathered and returns once everything appended is on the disk.
  ///
  /// Errors: kRefused, for good: what was appended since the last sync() may be missing.
  Status sync();

 private:
  CaptureWriter(const CaptureOptions& options, int fd);

  Status prepare();
  Status find_end();
  Status begin_file();
  Status write_file_header();
  void begin_payload();
  bool has_enough() const;
  std::string_view finished_block();
  void write_block();

  const std::string path_;
  const int fd_;
  std::uint64_t end_ = 0;
  std::uint64_t bytes_cut_ = 0;
  /// Room for a block's header, then its records; the same of a compressed one.
  std::string block_;
  std::string compressed_;
  /// Null: blocks are not compressed.
  const std::unique_ptr<Compressor> compressor_;
  const std::unique_ptr<RecordEncoder> records_;
  Status status_;
};

}  // namespace walcat
