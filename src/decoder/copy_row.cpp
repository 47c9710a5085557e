#include "copy_row.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace walcat {

namespace {

// The first tab or backslash at or after `at`, or `end`.
char* find_special(char* at, char* end) {
#if defined(__SSE2__)
  constexpr std::ptrdiff_t kBlock = 16;
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i backslash = _mm_set1_epi8('\\');
  for (; at < end; at += kBlock) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const int found = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(block, tab), _mm_cmpeq_epi8(block, backslash)));
    if (found != 0) {
      char* where = at + __builtin_ctz(static_cast<unsigned>(found));
      return where < end ? where : end;
    }
  }
  return end;
#else
  while (at < end && *at != '\t' && *at != '\\') ++at;
  return at;
#endif
}

// What the server writes; any other letter stands for itself.
char unescaped(char letter) {
  switch (letter) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'v': return '\v';
    default: return letter;
  }
}

}  // namespace

bool split_copy_row(char* row, std::size_t size, const char* base, Cell* cells, std::size_t columns) {
  if (columns == 0) return size == 0;
  char* const end = row + size;
  char* at = row;
  for (std::size_t i = 0; i < columns; ++i) {
    char* const begin = at;
    char* to = nullptr;  // Where the field's text ends so far, once something was taken out of it.
    bool is_null = false;
    for (;;) {
      char* const special = find_special(at, end);
      if (to != nullptr) {
        for (; at < special; ++at) *to++ = *at;
      }
      at = special;
      if (at == end || *at == '\t') break;
      if (at + 1 == end) return false;
      if (at[1] == 'N' && at == begin && (at + 2 == end || at[2] == '\t')) {
        is_null = true;
        at += 2;
        break;
      }
      if (to == nullptr) to = at;
      *to++ = unescaped(at[1]);
      at += 2;
    }
    cells[i].offset = static_cast<std::uint32_t>(begin - base);
    cells[i].size = is_null ? Cell::kNull : static_cast<std::int32_t>((to == nullptr ? at : to) - begin);
    const bool is_last = i + 1 == columns;
    if (is_last != (at == end)) return false;
    if (!is_last) ++at;
  }
  return true;
}

}  // namespace walcat
