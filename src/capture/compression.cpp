#include "compression.h"

#include <zstd.h>

#include "record_bytes.h"
#include "walcat/base/byte_reader.h"
#include "walcat/capture/format.h"

namespace walcat {

namespace {

// The fastest of the ordinary levels: a stream has to be kept up with.
constexpr int kLevel = 1;
constexpr std::size_t kSizeBefore = 4;

// A small file must not ask for much memory.
bool is_sane(std::size_t records, std::size_t compressed) {
  return records <= kCaptureRatioFree || records / kCaptureRatioMost <= compressed;
}

}  // namespace

Compressor::Compressor() : context_(::ZSTD_createCCtx()) {}
Compressor::~Compressor() { ::ZSTD_freeCCtx(context_); }

bool Compressor::compress(std::string_view records, std::string& payload) {
  const std::size_t begin = payload.size();
  put_u32(payload, records.size());
  payload.resize(begin + records.size());
  const std::size_t size =
      records.size() <= kSizeBefore
          ? 0
          : ::ZSTD_compressCCtx(context_, payload.data() + begin + kSizeBefore, records.size() - kSizeBefore,
                                records.data(), records.size(), kLevel);
  const bool is_smaller = size > 0 && ::ZSTD_isError(size) == 0 && is_sane(records.size(), size);
  payload.resize(is_smaller ? begin + kSizeBefore + size : begin);
  return is_smaller;
}

Decompressor::Decompressor() : context_(::ZSTD_createDCtx()) {}
Decompressor::~Decompressor() { ::ZSTD_freeDCtx(context_); }

bool Decompressor::decompress(std::string_view payload, ByteBuffer& records, std::size_t keep_bytes) {
  ByteReader reader(payload);
  const std::size_t size = reader.u32();
  const std::string_view frame = reader.bytes(reader.remaining());
  if (reader.failed() || size == 0 || size > kCaptureBlockMost || !is_sane(size, frame.size())) return false;
  // What it says of itself, before memory is set aside for it.
  if (::ZSTD_getFrameContentSize(frame.data(), frame.size()) != size) return false;
  records.clear(keep_bytes);
  records.ensure(size);
  if (::ZSTD_decompressDCtx(context_, records.data(), size, frame.data(), frame.size()) != size) return false;
  records.set_end(records.data() + size);
  return true;
}

}  // namespace walcat
