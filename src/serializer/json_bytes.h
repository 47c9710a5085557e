#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

// JSON written to memory in which the caller has made room: each function takes where to write, and returns where it
// ended. Up to ByteBuffer::kSlack bytes behind the end may be written as well, and as many behind a source read.

namespace walcat {

inline constexpr std::size_t kBlock = 16;

/// The most bytes that a number takes.
inline constexpr std::size_t kNumberMost = 20;
/// The most bytes that a byte of a string takes, and the quotes around it.
inline constexpr std::size_t kEscapeMost = 6;
inline constexpr std::size_t kQuotes = 2;

/// Copies a literal; nothing behind it is read.
template <std::size_t kSize>
inline char* put(char* at, const char (&text)[kSize]) {
  std::memcpy(at, text, kSize - 1);
  return at + kSize - 1;
}

[[gnu::noinline]] inline char* put_many(char* at, const char* text, std::size_t size) {
  std::memcpy(at, text, size);
  return at + size;
}

/// Copies text that is JSON already.
inline char* put(char* at, const char* text, std::size_t size) {
  constexpr std::size_t kFewBlocks = 512;
  char* const end = at + size;
  if (size > kFewBlocks) return put_many(at, text, size);
  for (;;) {
    std::memcpy(at, text, 2 * kBlock);
    at += 2 * kBlock;
    text += 2 * kBlock;
    if (at >= end) return end;
  }
}

/// The digits of a number below 100 million, the first one in the lowest byte, zeros before it.
inline std::uint64_t eight_digits(std::uint32_t value) {
  const std::uint64_t fours = value / 10'000 | std::uint64_t{value % 10'000} << 32;
  const std::uint64_t hundreds = fours * 10'486 >> 20 & 0x7F'0000'007F;
  const std::uint64_t twos = hundreds | (fours - 100 * hundreds) << 16;
  const std::uint64_t tens = twos * 103 >> 10 & 0x000F'000F'000F'000F;
  return tens | (twos - 10 * tens) << 8;
}

inline constexpr std::uint64_t kEightZeros = 0x3030'3030'3030'3030;

/// Writes eight digits, zeros before the number.
inline char* put_eight(char* at, std::uint32_t value) {
  const std::uint64_t digits = eight_digits(value) | kEightZeros;
  std::memcpy(at, &digits, sizeof digits);
  return at + sizeof digits;
}

/// Writes a number below 100 million.
inline char* put_below_eight(char* at, std::uint32_t value) {
  const std::uint64_t digits = eight_digits(value);
  // One bit in the last byte: of a zero, one digit stays.
  const int zeros = __builtin_ctzll(digits | std::uint64_t{1} << 56) / 8;
  const std::uint64_t shown = (digits | kEightZeros) >> 8 * zeros;
  std::memcpy(at, &shown, sizeof shown);
  return at + 8 - zeros;
}

inline constexpr std::uint64_t kEight = 100'000'000;

inline char* put(char* at, std::uint64_t value) {
  if (value < kEight) return put_below_eight(at, static_cast<std::uint32_t>(value));
  const std::uint64_t upper = value / kEight;
  const auto lower = static_cast<std::uint32_t>(value % kEight);
  if (upper < kEight) return put_eight(put_below_eight(at, static_cast<std::uint32_t>(upper)), lower);
  at = put_below_eight(at, static_cast<std::uint32_t>(upper / kEight));
  return put_eight(put_eight(at, static_cast<std::uint32_t>(upper % kEight)), lower);
}

/// Writes numbers that come close to each other, such as LSNs: the digits above the last eight are kept.
class NearNumber {
 public:
  char* put(char* at, std::uint64_t value) {
    if (value - base_ >= kEight || base_ == 0) [[unlikely]] {
      if (value < kEight) return put_below_eight(at, static_cast<std::uint32_t>(value));
      base_ = value - value % kEight;
      upper_size_ = static_cast<std::size_t>(walcat::put(upper_, value / kEight) - upper_);
    }
    std::memcpy(at, upper_, kBlock);
    return put_eight(at + upper_size_, static_cast<std::uint32_t>(value - base_));
  }

 private:
  // What upper_ stands for; zero: nothing yet.
  std::uint64_t base_ = 0;
  std::size_t upper_size_ = 0;
  char upper_[2 * kBlock] = {};
};

inline char* put(char* at, std::int64_t value) {
  if (value < 0) *at++ = '-';
  const auto magnitude = static_cast<std::uint64_t>(value);
  return put(at, value < 0 ? ~magnitude + 1 : magnitude);
}

/// What stands for a byte that a JSON string can't hold.
struct Escape {
  char text[kEscapeMost];
  std::uint8_t size;
};

inline constexpr std::array<Escape, 256> kEscapes = [] {
  std::array<Escape, 256> escapes{};
  constexpr char kHex[] = "0123456789ABCDEF";
  for (std::size_t byte = 0; byte < 0x20; ++byte) {
    escapes[byte] = {{'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]}, 6};
  }
  constexpr char kShort[][2] = {{'"', '"'},  {'\\', '\\'}, {'\b', 'b'}, {'\f', 'f'},
                                {'\n', 'n'}, {'\r', 'r'},  {'\t', 't'}};
  for (const auto& [byte, letter] : kShort) {
    escapes[static_cast<unsigned char>(byte)] = {{'\\', letter}, 2};
  }
  return escapes;
}();

/// Copies one block and returns a bit for each byte of it that needs an escape.
#if defined(__SSE2__)
inline std::uint32_t copy_block(char* to, const char* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
}
#else
inline std::uint32_t copy_block(char* to, const char* from) {
  std::uint32_t mask = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto byte = static_cast<unsigned char>(to[i] = from[i]);
    mask |= static_cast<std::uint32_t>(byte < 0x20 || byte == '"' || byte == '\\') << i;
  }
  return mask;
}
#endif

/// Writes the escapes of a block that stands at `at` as it is: a bit in `mask` for each byte of `text` that needs one,
/// `size` bytes in all. Behind each the rest of the block is copied anew.
inline char* put_escapes(char* at, const char* text, std::size_t size, std::uint32_t mask) {
  std::size_t done = 0;
  do {
    const auto place = static_cast<std::size_t>(__builtin_ctz(mask));
    const Escape& escape = kEscapes[static_cast<unsigned char>(text[place])];
    at += place - done;
    std::memcpy(at, escape.text, kEscapeMost);
    at += escape.size;
    done = place + 1;
    std::memcpy(at, text + done, kBlock);
    mask &= mask - 1;
  } while (mask != 0);
  return at + (size - done);
}

/// Writes text as the inside of a JSON string: escapes `"`, `\` and control characters, leaves all else as it is. Takes
/// room for kEscapeMost bytes each.
inline char* put_escaped(char* at, const char* text, std::size_t size) {
  // Whole blocks are copied blindly. The tail is a block too: what it copies too much lies in the slack.
  for (; size > kBlock; size -= kBlock, text += kBlock) {
    const std::uint32_t mask = copy_block(at, text);
    at = mask == 0 ? at + kBlock : put_escapes(at, text, kBlock, mask);
  }
  const std::uint32_t mask = copy_block(at, text) & ((1U << size) - 1);
  return mask == 0 ? at + size : put_escapes(at, text, size, mask);
}

/// Writes text as a JSON string.
inline char* put_string(char* at, const char* text, std::size_t size) {
  *at++ = '"';
  at = put_escaped(at, text, size);
  *at++ = '"';
  return at;
}

}  // namespace walcat
