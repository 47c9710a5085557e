#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "walcat/base/status.h"
#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"
#include "walcat/model/byte_buffer.h"

namespace walcat {

class Decompressor;
class RecordDecoder;
struct BlockPlace;

/// What a capture file is, as far as it has been read.
struct CaptureFacts {
  /// 0: its header is torn.
  std::uint32_t version = 0;
  /// Of the whole file.
  std::uint64_t bytes = 0;
  std::uint64_t blocks = 0;
  std::uint64_t compressed_blocks = 0;
  /// Of records, before they were compressed.
  std::uint64_t record_bytes = 0;
};

/// Reads a capture file, as far as it went when it was opened; see format.h. Either by parcels or by frames.
///
/// Threads: one at a time. The file may be written meanwhile.
class CaptureReader {
 public:
  /// Errors: kRefused, naming the file, if it can't be opened, is no capture, or of a newer version.
  static Result<std::unique_ptr<CaptureReader>> open(const std::string& path);
  /// The streams of which a file holds parcels, in the order of their first one. Steps from block to block, and reads
  /// those that describe one; what is damaged ends it.
  ///
  /// Errors: as open(), and kRefused where nothing comes before the damage.
  static Result<std::vector<std::shared_ptr<const StreamIdentity>>> streams(const std::string& path);
  ~CaptureReader();
  CaptureReader(const CaptureReader&) = delete;
  CaptureReader& operator=(const CaptureReader&) = delete;

  /// The next parcel, or nothing at the end; single frames are left out, and counted. Its frames are whole, and valid
  /// until the next call. Nothing is allocated for a parcel that describes nothing new.
  ///
  /// Errors: kRefused, naming file and offset, where bytes are damaged. Every further call says the same.
  Result<std::optional<CapturedParcel>> next_parcel();
  /// Single frames (dead letters and their context) that next_parcel() has left out, and how many of them are dead
  /// letters.
  std::uint64_t frames_left_out() const { return frames_left_out_; }
  std::uint64_t dead_letters_left_out() const { return dead_letters_left_out_; }

  /// kRefused about the parcel in hand: what its frames say makes no sense.
  Status fault(const char* what) const { return damaged(what); }

  /// The next frame, or nothing at the end; those of a parcel come one by one. Its bytes are valid until the next call.
  ///
  /// Errors: as next_parcel().
  Result<std::optional<CapturedFrame>> next();

  const CaptureFacts& facts() const { return facts_; }
  /// Where the whole blocks end, if the file goes on; known once its end was come to.
  std::optional<std::uint64_t> torn_at() const { return torn_at_; }

 private:
  CaptureReader(std::string path, int fd);

  Status open_file();
  Result<BlockPlace> next_block();
  Result<bool> read_block();
  Result<bool> next_record();
  CapturedFrame next_of_parcel();
  Status begin_records(std::string_view payload);
  Status damaged(const char* what) const;

  const std::string path_;
  const int fd_;
  std::uint64_t size_ = 0;
  /// Where the next block begins, and what was read of its header along with the block before.
  std::uint64_t at_ = kCaptureFileHeader;
  std::array<char, kCaptureBlockHeader> header_{};
  std::size_t header_size_ = 0;
  std::optional<std::uint64_t> torn_at_;
  Status status_;

  ByteBuffer block_;
  /// Where in the file the payload begins, and whether its records stand in `unpacked_`.
  std::uint64_t payload_at_ = 0;
  bool is_compressed_ = false;
  bool only_descriptions_ = false;
  ByteBuffer unpacked_;
  const std::unique_ptr<Decompressor> decompressor_;
  const std::unique_ptr<RecordDecoder> records_;
  CaptureFacts facts_;
  std::uint64_t frames_left_out_ = 0;
  std::uint64_t dead_letters_left_out_ = 0;
  /// Of the parcel in hand, what next() has not handed out.
  std::string_view frames_;
};

}  // namespace walcat
