#include "crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#ifdef __x86_64__
#include <nmmintrin.h>
#endif

namespace walcat {

namespace {

constexpr std::uint32_t kPolynomial = 0x82F63B78;
constexpr std::size_t kSlice = 8;

using Tables = std::array<std::array<std::uint32_t, 256>, kSlice>;

// tables[i][byte] is what `byte` does to the sum when i bytes follow it.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = sum;
  }
  for (std::size_t i = 1; i < kSlice; ++i) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      tables[i][byte] = (tables[i - 1][byte] >> 8) ^ tables[0][tables[i - 1][byte] & 0xFF];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

// Of the sum of what stands before, `kStream` bytes of zeros later: four look-ups, for zeros do the same to each byte
// of a sum whatever the others are.
using Shift = std::array<std::array<std::uint32_t, 256>, 4>;

template <std::size_t kZeros>
constexpr Shift make_shift() {
  // What the zeros do to each bit: doubled until there are enough of them, from those of a single byte.
  std::array<std::uint32_t, 32> zeros{};
  for (std::uint32_t bit = 0; bit < 32; ++bit) {
    std::uint32_t sum = std::uint32_t{1} << bit;
    for (int i = 0; i < 8; ++i) sum = (sum >> 1) ^ ((sum & 1) != 0 ? kPolynomial : 0);
    zeros[bit] = sum;
  }
  const auto apply = [](const std::array<std::uint32_t, 32>& matrix, std::uint32_t sum) {
    std::uint32_t product = 0;
    for (std::uint32_t bit = 0; bit < 32; ++bit) product ^= (sum >> bit & 1) != 0 ? matrix[bit] : 0;
    return product;
  };
  for (std::size_t bytes = 1; bytes < kZeros; bytes *= 2) {
    const auto once = zeros;
    for (std::uint32_t bit = 0; bit < 32; ++bit) zeros[bit] = apply(once, once[bit]);
  }
  Shift shift{};
  for (std::uint32_t i = 0; i < 4; ++i) {
    for (std::uint32_t byte = 0; byte < 256; ++byte) shift[i][byte] = apply(zeros, byte << (8 * i));
  }
  return shift;
}

std::uint32_t shifted(const Shift& shift, std::uint32_t sum) {
  return shift[0][sum & 0xFF] ^ shift[1][sum >> 8 & 0xFF] ^ shift[2][sum >> 16 & 0xFF] ^ shift[3][sum >> 24];
}

#ifdef __x86_64__
std::uint64_t eight(const char* at) {
  std::uint64_t bytes = 0;
  std::memcpy(&bytes, at, sizeof bytes);
  return bytes;
}

// The instruction's answer takes three cycles, and one may begin in each: three streams side by side.
template <std::size_t kStream>
__attribute__((target("sse4.2"))) std::uint32_t three_streams(std::uint32_t sum, const char*& at, std::size_t& left) {
  static_assert((kStream & (kStream - 1)) == 0 && kStream % 8 == 0);
  static constexpr Shift kShift = make_shift<kStream>();
  for (; left >= 3 * kStream; left -= 3 * kStream, at += 3 * kStream) {
    std::uint64_t first = sum;
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kStream; i += 8) {
      first = _mm_crc32_u64(first, eight(at + i));
      second = _mm_crc32_u64(second, eight(at + kStream + i));
      third = _mm_crc32_u64(third, eight(at + 2 * kStream + i));
    }
    sum = shifted(kShift, static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
    sum = shifted(kShift, sum) ^ static_cast<std::uint32_t>(third);
  }
  return sum;
}

__attribute__((target("sse4.2"))) std::uint32_t crc32c_by_instruction(std::string_view bytes) {
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  std::uint32_t sum = ~std::uint32_t{0};
  sum = three_streams<4096>(sum, at, left);
  sum = three_streams<256>(sum, at, left);
  for (; left >= 8; at += 8, left -= 8) sum = static_cast<std::uint32_t>(_mm_crc32_u64(sum, eight(at)));
  for (; left > 0; ++at, --left) sum = _mm_crc32_u8(sum, static_cast<unsigned char>(*at));
  return ~sum;
}
#endif

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
#ifdef __x86_64__
  static const bool has_instruction = __builtin_cpu_supports("sse4.2") != 0;
  if (has_instruction) return crc32c_by_instruction(bytes);
#endif
  return crc32c_by_table(bytes);
}

std::uint32_t crc32c_by_table(std::string_view bytes) {
  std::uint32_t sum = ~std::uint32_t{0};
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= kSlice; at += kSlice, left -= kSlice) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, kSlice);  // Little-endian, as everything we build for.
    eight ^= sum;
    sum = 0;
    for (std::size_t i = 0; i < kSlice; ++i) sum ^= kTables[kSlice - 1 - i][eight >> (8 * i) & 0xFF];
  }
  for (; left > 0; ++at, --left) sum = (sum >> 8) ^ kTables[0][(sum ^ static_cast<unsigned char>(*at)) & 0xFF];
  return ~sum;
}

}  // namespace walcat
