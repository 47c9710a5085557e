#include "crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

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

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
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
