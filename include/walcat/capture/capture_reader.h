#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "walcat/base/byte_reader.h"
#include "walcat/base/status.h"
#include "walcat/capture/format.h"

namespace walcat {

/// Reads the frames of a capture file, as far as the file went when it was opened; see format.h.
///
/// Threads: one at a time. The file may be written meanwhile.
class CaptureReader {
 public:
  /// Errors: kRefused, naming the file, if it can't be opened, is no capture, or of a newer version.
  static Result<std::unique_ptr<CaptureReader>> open(const std::string& path);
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  /// The next frame, or nothing at the end. Its bytes are valid until the next call.
  ///
  /// Errors: kRefused, naming file and offset, where bytes are damaged. Every further call says the same.
  Result<std::optional<CapturedFrame>> next();

  /// Where the whole blocks end, if the file goes on; known once next() has come to its end.
  std::optional<std::uint64_t> torn_at() const { return torn_at_; }

 private:
  CaptureReader(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  Result<bool> read_block();
  Result<std::optional<CapturedFrame>> read_record();
  Status read_stream(ByteReader record);
  Result<std::optional<CapturedFrame>> read_frame(ByteReader record);
  Status damaged(const char* what);

  const std::string path_;
  const int fd_;
  std::uint64_t size_ = 0;
  /// Where the next block begins.
  std::uint64_t at_ = kCaptureFileHeader;
  std::optional<std::uint64_t> torn_at_;
  Status status_;

  std::string payload_;
  ByteReader records_{nullptr, 0};
  /// Where in the file the payload begins, and in it the record in hand.
  std::uint64_t payload_at_ = 0;
  std::size_t record_at_ = 0;
  std::map<std::uint32_t, std::shared_ptr<const StreamIdentity>> streams_;
};

}  // namespace walcat
