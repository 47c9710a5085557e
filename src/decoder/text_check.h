#pragma once

#include <cstddef>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace walcat {

/// Whether no byte of `text` is above 0x7F, which is all that most text has to show to be UTF-8. Up to 15 bytes past
/// its end may be read, whatever they hold.
inline bool is_ascii(const char* text, std::size_t size) {
#if defined(__SSE2__)
  constexpr std::size_t kBlock = 16;
  constexpr std::size_t kRound = 4 * kBlock;
  const auto load = [](const char* at) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at)); };
  const auto round = [&load](const char* at) {
    return _mm_or_si128(_mm_or_si128(load(at), load(at + kBlock)),
                        _mm_or_si128(load(at + 2 * kBlock), load(at + 3 * kBlock)));
  };
  if (size < kBlock) return (static_cast<unsigned>(_mm_movemask_epi8(load(text))) & ((1U << size) - 1)) == 0;
  // The last block, or round, overlaps the one before.
  const char* const end = text + size;
  __m128i seen = load(end - kBlock);
  if (size >= kRound) {
    seen = round(end - kRound);
    for (; text < end - kRound; text += kRound) seen = _mm_or_si128(seen, round(text));
  } else {
    for (; text < end - kBlock; text += kBlock) seen = _mm_or_si128(seen, load(text));
  }
  return _mm_movemask_epi8(seen) == 0;
#else
  unsigned char seen = 0;
  for (std::size_t i = 0; i < size; ++i) seen |= static_cast<unsigned char>(text[i]);
  return seen < 0x80;
#endif
}

}  // namespace walcat
