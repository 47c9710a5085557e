#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>

#include "walcat/base/byte_reader.h"
#include "walcat/capture/format.h"
#include "walcat/capture/parcel.h"

namespace walcat {

/// Reads the records of a block one by one; see format.h.
///
/// Threads: stage-bound.
class RecordDecoder {
 public:
  enum class Found { kFrame, kParcel, kOther, kDamage };

  /// Begins a block of `payload`, which must stay until the next one is begun.
  void begin_block(std::string_view payload) { records_ = ByteReader(payload); }
  bool has_record() const { return records_.remaining() > 0; }

  /// Reads a record: what it was, then, is in frame(), parcel() or damage().
  Found next() { return found_ = read(); }
  Found found() const { return found_; }
  /// Where in the block the record in hand begins.
  std::size_t record_at() const { return record_at_; }

  const CapturedFrame& frame() const { return frame_; }
  const CapturedParcel& parcel() const { return parcel_; }
  const char* damage() const { return damage_; }

 private:
  struct Stream {
    std::shared_ptr<const StreamIdentity> identity;
    std::shared_ptr<const CapturedSession> session;
  };

  Found read();
  Found damaged(const char* what);
  Found read_stream_record(ByteReader record);
  Found read_session(ByteReader record);
  Found read_source(ByteReader record);
  Found read_parcel(ByteReader record);
  bool read_rows(ByteReader& record);
  Found read_frame(ByteReader record);
  Stream* find_stream(std::uint32_t number);

  ByteReader records_{nullptr, 0};
  std::size_t record_at_ = 0;
  Found found_ = Found::kOther;
  CapturedFrame frame_;
  CapturedParcel parcel_;
  const char* damage_ = nullptr;
  std::map<std::uint32_t, Stream> streams_;
  std::map<std::uint32_t, std::shared_ptr<const SnapshotSource>> sources_;
};

}  // namespace walcat
