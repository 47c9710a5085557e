#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capture/crc32c.h"
#include "capture/record_bytes.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/capture/capture_writer.h"
#include "walcat/model/batch.h"

namespace walcat::test {

// The small language of the cases about parcels.

inline std::shared_ptr<const StreamIdentity> stream_of(const std::string& label) {
  return std::make_shared<const StreamIdentity>(
      StreamIdentity{label, "7301", 3, label + "_db", "slot1", "pub1", 150004, false});
}

inline std::shared_ptr<const CapturedSession> session_of(std::uint64_t session) {
  return std::make_shared<const CapturedSession>(
      CapturedSession{7, session, 1, {Lsn{0x100}, Lsn{0x200}, 3}, Lsn{0x300}, false});
}

/// The frames as Batch::frames() gives them.
inline std::string packed(const std::vector<std::string>& frames) {
  Batch batch(1);
  for (const std::string& frame : frames) batch.append_frame(frame);
  return std::string(batch.frames());
}

/// Of the stream "db1", in its first session.
inline CapturedParcel parcel_of(std::string_view frames) {
  static const auto kStream = stream_of("db1");
  static const auto kSession = session_of(1);
  CapturedParcel parcel;
  parcel.stream = kStream;
  parcel.session = kSession;
  parcel.frames = frames;
  return parcel;
}

inline std::vector<std::string> unpacked(std::string_view frames) {
  std::vector<std::string> all;
  while (!frames.empty()) {
    const std::uint32_t size = Batch::load_frame_size(frames.data());
    all.emplace_back(frames.substr(Batch::kFrameHeader, size));
    frames.remove_prefix(Batch::kFrameHeader + size);
  }
  return all;
}

/// The frames of all parcels of the file as `label/session: bytes`, then what ended them.
inline std::vector<std::string> read_parcels(const std::string& path) {
  const auto reader = CaptureReader::open(path);
  if (!reader.is_ok()) return {reader.status().message()};
  std::vector<std::string> all;
  for (;;) {
    const auto next = (*reader)->next_parcel();
    if (!next.is_ok()) {
      EXPECT_EQ(next.status().code(), StatusCode::kRefused);
      EXPECT_EQ((*reader)->next_parcel().status().message(), next.status().message());
      all.push_back(next.status().message());
      return all;
    }
    if (!*next) break;
    const CapturedParcel& parcel = **next;
    const std::string label = parcel.stream->label + "/" + std::to_string(parcel.session->session);
    for (const std::string& frame : unpacked(parcel.frames)) {
      all.push_back(label + (parcel.is_context ? " context: " : ": ") + frame);
    }
  }
  if (const auto torn = (*reader)->torn_at()) all.push_back("torn at " + std::to_string(*torn));
  return all;
}

inline std::string file_header(std::uint32_t version) {
  std::string bytes(kCaptureMagic);
  put_u32(bytes, version);
  put_u32(bytes, crc32c(bytes));
  return bytes;
}

/// A block whose checksums hold.
inline std::string block_of(std::string_view payload, std::uint32_t flags = 0) {
  std::string block(kCaptureBlockMagic);
  put_u32(block, flags);
  put_u32(block, payload.size());
  put_u32(block, crc32c(payload));
  put_u32(block, crc32c(block));
  return block + std::string(payload);
}

}  // namespace walcat::test
