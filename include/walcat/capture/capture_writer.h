#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "walcat/base/status.h"
#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"

namespace walcat {

class RecordEncoder;

/// Appends parcels and single frames to a capture file; see format.h.
///
/// Threads: one at a time. Between processes, and writers of one process, the file is locked.
class CaptureWriter {
 public:
  /// Opens `path`, made if it does not exist, to append; a last block that is not whole is cut off.
  ///
  /// Errors: kRefused, naming file and offset, if it can't be opened or made, somebody else writes it, it is no
  /// capture,
  ///     of a newer version, or damaged before its last block.
  static Result<std::unique_ptr<CaptureWriter>> open(const std::string& path);
  ~CaptureWriter();
  CaptureWriter(const CaptureWriter&) = delete;
  CaptureWriter& operator=(const CaptureWriter&) = delete;

  /// Bytes that open() has cut off.
  std::uint64_t bytes_cut() const { return bytes_cut_; }

  /// Appends `parcel`, whose stream and session must not be null; its frames are copied. What is gathered goes to the
  /// file in blocks of about 1 MiB. Once one could not be written, nothing more is, and sync() says why.
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
  CaptureWriter(std::string path, int fd);

  Status prepare();
  Status find_end();
  Status begin_file();
  Status write_file_header();
  void begin_payload();
  void write_block();

  const std::string path_;
  const int fd_;
  std::uint64_t end_ = 0;
  std::uint64_t bytes_cut_ = 0;
  /// Room for a block's header, then its payload.
  std::string block_;
  const std::unique_ptr<RecordEncoder> records_;
  Status status_;
};

}  // namespace walcat
