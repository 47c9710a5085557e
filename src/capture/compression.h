#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/status.h"
#include "walcat/model/byte_buffer.h"

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace walcat {

/// Makes the payloads of compressed blocks, see format.h: zstd is seen only here.
///
/// Threads: stage-bound.
class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  /// Appends the payload that `records` become to `payload`. Returns false, with nothing appended, where it would not
  /// be smaller.
  bool compress(std::string_view records, std::string& payload);

 private:
  ZSTD_CCtx_s* const context_;
};

/// Reads such payloads.
///
/// Threads: stage-bound.
class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  /// Fills `records` with what became `payload`. Memory above `keep_bytes` that `records` holds and does not need goes
  /// back to the system. Returns false where the payload makes no sense.
  bool decompress(std::string_view payload, ByteBuffer& records, std::size_t keep_bytes);

 private:
  ZSTD_DCtx_s* const context_;
};

}  // namespace walcat
