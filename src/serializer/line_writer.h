#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstdint>
#include <cstring>
#include <string_view>

#include "walcat/model/byte_buffer.h"

namespace walcat {

/// Writes JSON text to the end of a ByteBuffer, in blocks that may run over into the buffer's slack.
///
/// Sources must be padded likewise: up to ByteBuffer::kSlack bytes behind a text may be read, whatever they hold.
/// Threads: stage-bound (serializer).
/// Ownership: borrows the buffer; nobody else may touch it until close().
class LineWriter {
 public:
  explicit LineWriter(ByteBuffer& buffer) : buffer_(buffer) { open(); }

  /// Bytes written, those of before this writer included.
  std::size_t size() const { return static_cast<std::size_t>(out_ - buffer_.data()); }
  void close() { buffer_.set_end(out_); }

  /// Copies text that is JSON already.
  void raw(const char* text, std::size_t size) {
    room(size);
    copy(text, size);
  }
  void raw(std::string_view padded) { raw(padded.data(), padded.size()); }

  /// Copies a literal; nothing behind it is read.
  template <std::size_t kSize>
  void literal(const char (&text)[kSize]) {
    room(kSize);
    std::memcpy(out_, text, kSize - 1);
    out_ += kSize - 1;
  }

  void number(std::uint64_t value);
  void number(std::int64_t value);

  /// Writes `text` as a JSON string: escapes `"`, `\` and control characters, leaves all else as it is.
  void string(const char* text, std::size_t size) {
    room(size + 2);
    *out_++ = '"';
    escaped(text, size);
    *out_++ = '"';
  }
  void string(std::string_view padded) { string(padded.data(), padded.size()); }

  /// Writes `bytes` as a JSON string of standard base64.
  void base64(std::string_view bytes);
  /// The same in the alphabet that is safe in URLs, with padding.
  void base64_url_safe(std::string_view bytes);
  /// Writes `bytes` as a JSON string of lower-case hexadecimal digits.
  void hex(std::string_view bytes);

 private:
  static constexpr std::size_t kBlock = 16;

  void open() {
    out_ = buffer_.end();
    limit_ = buffer_.data() + buffer_.capacity();
  }

  void room(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(limit_ - out_)) [[unlikely]]
      make_room(bytes);
  }
  void make_room(std::size_t bytes) {
    close();
    buffer_.ensure(bytes);
    open();
  }

  void copy(const char* text, std::size_t size) {
    if (size <= 2 * kBlock) {
      std::memcpy(out_, text, kBlock);
      std::memcpy(out_ + kBlock, text + kBlock, kBlock);
    } else {
      std::memcpy(out_, text, size);
    }
    out_ += size;
  }

  void escaped(const char* text, std::size_t size);
  void escape(unsigned char byte);
  void base64(std::string_view bytes, const char* alphabet);

  // Copies one block and returns a bit for each byte of it that needs an escape.
  static std::uint32_t copy_block(char* to, const char* from);

  ByteBuffer& buffer_;
  char* out_ = nullptr;
  char* limit_ = nullptr;
};

#if defined(__SSE2__)
inline std::uint32_t LineWriter::copy_block(char* to, const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}
#else
inline std::uint32_t LineWriter::copy_block(char* to, const char* from) {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto byte = static_cast<unsigned char>(to[i] = from[i]);
    mask |= static_cast<std::uint32_t>(byte < 0x20 || byte == '"' || byte == '\\') << i;
  }
  return mask;
}
#endif

// Whole blocks are copied blindly; the first byte that needs an escape is where the next block begins. The tail is a
// block too: what it copies too much lies in the slack and is overwritten.
inline void LineWriter::escaped(const char* text, std::size_t size) {
  for (;;) {
    const std::size_t step = size < kBlock ? size : kBlock;
    const std::uint32_t mask = copy_block(out_, text) & ((1U << step) - 1);
    if (mask == 0) [[likely]] {
      out_ += step;
      text += step;
      size -= step;
      if (size == 0) return;
      continue;
    }
    const auto clean = static_cast<std::size_t>(__builtin_ctz(mask));
    out_ += clean;
    escape(static_cast<unsigned char>(text[clean]));
    text += clean + 1;
    size -= clean + 1;
    room(size + 1);
    if (size == 0) return;
  }
}

}  // namespace walcat
