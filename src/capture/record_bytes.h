#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace walcat {

// How records of a capture are written: integers big-endian, a text after its size.

inline void put_integer(std::string& bytes, std::uint64_t value, int size) {
  const std::uint64_t swapped = __builtin_bswap64(value << (64 - 8 * size));
  bytes.append(reinterpret_cast<const char*>(&swapped), static_cast<std::size_t>(size));
}
inline void put_u8(std::string& bytes, std::uint8_t value) { bytes += static_cast<char>(value); }
inline void put_u32(std::string& bytes, std::uint64_t value) { put_integer(bytes, value, 4); }
inline void put_u64(std::string& bytes, std::uint64_t value) { put_integer(bytes, value, 8); }
inline void put_i64(std::string& bytes, std::int64_t value) { put_u64(bytes, static_cast<std::uint64_t>(value)); }
inline void put_text(std::string& bytes, std::string_view text) {
  put_u32(bytes, text.size());
  bytes += text;
}

/// Bytes of the size before each record.
inline constexpr std::size_t kRecordHeader = 4;

/// Begins a record and returns where: for end_record().
inline std::size_t begin_record(std::string& bytes, char kind) {
  const std::size_t record = bytes.size();
  put_u32(bytes, 0);
  bytes += kind;
  return record;
}
/// The size of the record that begins at `record` is known now.
inline void end_record(std::string& bytes, std::size_t record) {
  const auto size = static_cast<std::uint32_t>(bytes.size() - record - kRecordHeader);
  for (std::size_t i = 0; i < kRecordHeader; ++i) bytes[record + i] = static_cast<char>(size >> (24 - 8 * i) & 0xFF);
}

}  // namespace walcat
