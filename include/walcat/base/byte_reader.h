#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace walcat {

/// Reads big-endian fields from borrowed bytes, never past their end.
///
/// A read past the end returns zero and latches `failed()`; a caller reads a whole message and then asks once.
/// Threads: stage-bound.
/// Ownership: views the bytes it was given; the strings it returns point into them.
class ByteReader {
 public:
  ByteReader(const char* begin, std::size_t size) : begin_(begin), cursor_(begin), end_(begin + size) {}
  explicit ByteReader(std::string_view bytes) : ByteReader(bytes.data(), bytes.size()) {}

  bool failed() const { return failed_; }
  std::size_t offset() const { return static_cast<std::size_t>(cursor_ - begin_); }
  std::size_t remaining() const { return static_cast<std::size_t>(end_ - cursor_); }
  const char* cursor() const { return cursor_; }

  std::uint8_t u8() { return integer<std::uint8_t>(); }
  std::uint16_t u16() { return __builtin_bswap16(integer<std::uint16_t>()); }
  std::uint32_t u32() { return __builtin_bswap32(integer<std::uint32_t>()); }
  std::uint64_t u64() { return __builtin_bswap64(integer<std::uint64_t>()); }
  std::int16_t i16() { return static_cast<std::int16_t>(u16()); }
  std::int32_t i32() { return static_cast<std::int32_t>(u32()); }
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }

  /// Bytes up to, and without, the next NUL; the cursor moves past the NUL.
  std::string_view cstring() {
    const void* nul = std::memchr(cursor_, 0, remaining());
    if (nul == nullptr) return fail();
    const auto* stop = static_cast<const char*>(nul);
    const std::string_view text(cursor_, static_cast<std::size_t>(stop - cursor_));
    cursor_ = stop + 1;
    return text;
  }

  /// Moves on to `cursor`, somewhere between here and the end: for callers that have read up to there themselves.
  void skip_to(const char* cursor) { cursor_ = cursor; }

  /// The next `size` bytes.
  std::string_view bytes(std::size_t size) {
    if (size > remaining()) return fail();
    const std::string_view text(cursor_, size);
    cursor_ += size;
    return text;
  }

 private:
  // As the bytes stand, which is backwards on the little-endian machines we build for.
  template <typename T>
  T integer() {
    static_assert(std::endian::native == std::endian::little);
    T value = 0;
    if (remaining() < sizeof value) {
      fail();
      return 0;
    }
    std::memcpy(&value, cursor_, sizeof value);
    cursor_ += sizeof value;
    return value;
  }

  std::string_view fail() {
    failed_ = true;
    end_ = cursor_;
    return {};
  }

  const char* begin_;
  const char* cursor_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace walcat
