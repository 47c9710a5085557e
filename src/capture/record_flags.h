#pragma once

#include <cstdint>

namespace walcat {

// Kinds of records and their flags, as format.h tells them.

inline constexpr char kStreamRecord = 'S';
inline constexpr char kSessionRecord = 'N';
inline constexpr char kSourceRecord = 'D';
inline constexpr char kParcelRecord = 'P';
inline constexpr char kFrameRecord = 'F';

inline constexpr std::uint8_t kSessionIsUtf8 = 1;
inline constexpr std::uint8_t kParcelIsContext = 1;
inline constexpr std::uint8_t kParcelHasRows = 2;

}  // namespace walcat
