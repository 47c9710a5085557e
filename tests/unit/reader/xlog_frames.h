#pragma once

#include <cstdint>
#include <string>

#include "decoder/frames.h"

namespace walcat::test {

inline std::string u32(std::uint32_t value) { return Wire().u32(value); }
inline std::string u64(std::uint64_t value) { return Wire().u64(value); }

inline std::string frame(const std::string& message) { return at(0x100, message, 7); }

// A transaction that commits at 0x500, as it comes whole.
inline std::string whole_begin(std::uint32_t xid) { return frame(Wire('B').u64(0x500).u64(9).u32(xid)); }
inline std::string whole_commit() { return frame(Wire('C').u8(0).u64(0x500).u64(0x530).u64(9)); }

}  // namespace walcat::test
