#pragma once

#include <cstdint>
#include <string_view>

namespace walcat {

/// The CRC-32C (Castagnoli) of `bytes`, as iSCSI, ext4 and PostgreSQL's own log use it.
/// By the processor's instruction where it has one.
std::uint32_t crc32c(std::string_view bytes);
/// The same without the instruction.
std::uint32_t crc32c_by_table(std::string_view bytes);

}  // namespace walcat
