#pragma once

#include <cstdint>
#include <string_view>

namespace walcat {

/// OIDs of the built-in types that have a form of their own. PostgreSQL never changes them.
namespace type_oid {
inline constexpr std::uint32_t kBool = 16;
inline constexpr std::uint32_t kBytea = 17;
inline constexpr std::uint32_t kInt8 = 20;
inline constexpr std::uint32_t kInt2 = 21;
inline constexpr std::uint32_t kInt4 = 23;
inline constexpr std::uint32_t kOid = 26;
inline constexpr std::uint32_t kJson = 114;
inline constexpr std::uint32_t kXml = 142;
inline constexpr std::uint32_t kPoint = 600;
inline constexpr std::uint32_t kFloat4 = 700;
inline constexpr std::uint32_t kFloat8 = 701;
inline constexpr std::uint32_t kMoney = 790;
inline constexpr std::uint32_t kDate = 1082;
inline constexpr std::uint32_t kTime = 1083;
inline constexpr std::uint32_t kTimestamp = 1114;
inline constexpr std::uint32_t kTimestampTz = 1184;
inline constexpr std::uint32_t kInterval = 1186;
inline constexpr std::uint32_t kTimeTz = 1266;
inline constexpr std::uint32_t kBit = 1560;
inline constexpr std::uint32_t kVarbit = 1562;
inline constexpr std::uint32_t kNumeric = 1700;
inline constexpr std::uint32_t kUuid = 2950;
inline constexpr std::uint32_t kTsvector = 3614;
inline constexpr std::uint32_t kJsonb = 3802;
}  // namespace type_oid

/// A built-in array.
struct BuiltinArray {
  /// Zero if the type is no built-in array.
  std::uint32_t element = 0;
  /// Between elements in the text form.
  char delimiter = ',';
};

BuiltinArray builtin_array(std::uint32_t oid);

/// The OID of a built-in type from its name in pg_type, arrays with their underscore; zero if there is none.
std::uint32_t builtin_type(std::string_view name);

}  // namespace walcat
