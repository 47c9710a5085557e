#pragma once

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace walcat {

/// Whether `text`, as it stands, is a number in JSON's grammar.
inline bool is_json_number(std::string_view text) {
  std::size_t at = !text.empty() && text.front() == '-' ? 1 : 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && static_cast<unsigned char>(text[at] - '0') <= 9) ++at;
    return at - begin;
  };
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return false;
  if (at == text.size()) [[likely]]
    return true;
  if (text[at] == '.') {
    ++at;
    if (digits() == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return false;
  }
  return at == text.size();
}

/// The same, at once for what most numbers are: up to 16 bytes of digits, with a sign or a point or neither. Reads 16
/// bytes, whatever the size.
inline bool is_json_number_padded(const char* text, std::size_t size) {
#if defined(__SSE2__)
  constexpr std::size_t kBlock = 16;
  if (size - 1 < kBlock) [[likely]] {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text));
    const __m128i values = _mm_sub_epi8(bytes, _mm_set1_epi8('0'));
    const __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(values, _mm_set1_epi8(9)), values);
    const std::uint32_t others = ~static_cast<std::uint32_t>(_mm_movemask_epi8(digits)) & ((1U << size) - 1);
    if (others == 0) return *text != '0' || size == 1;
    // One other byte, neither the first nor the last: a point, before which a zero stands alone.
    const bool is_one = (others & (others - 1)) == 0;
    const auto place = static_cast<std::size_t>(__builtin_ctz(others));
    if (is_one && text[place] == '.' && place > 0 && place + 1 < size) return *text != '0' || place == 1;
    if (others == 1 && *text == '-' && size > 1) return text[1] != '0' || size == 2;
  }
#endif
  return is_json_number({text, size});
}

}  // namespace walcat
