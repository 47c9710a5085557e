#pragma once

#include <cstdint>
#include <string>

namespace walcat::test {

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}
inline std::string u32(std::uint32_t value) { return big_endian(value, 4); }
inline std::string u64(std::uint64_t value) { return big_endian(value, 8); }

// XLogData: its kind, position, the server's end, the time of sending.
inline std::string frame(const std::string& message) { return "w" + u64(0x100) + u64(0x200) + u64(7) + message; }

// A transaction that commits at 0x500, as it comes whole.
inline std::string whole_begin(std::uint32_t xid) { return frame("B" + u64(0x500) + u64(9) + u32(xid)); }
inline std::string whole_commit() { return frame(std::string("C") + '\0' + u64(0x500) + u64(0x530) + u64(9)); }

}  // namespace walcat::test
