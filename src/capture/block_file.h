#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "walcat/base/status.h"

namespace walcat {

// What reader and writer of a capture file look for: its header, and where its blocks are.

/// kRefused about `path`.
Status capture_fault(const std::string& path, std::string_view what);
/// The same with what errno says.
Status capture_failed(const std::string& path, const char* step);

enum class Wholeness {
  kWhole,
  kTorn,  ///< The file ends inside, or in zeros.
};

/// Looks at the header of a file of `size` bytes.
Result<Wholeness> check_file_header(const std::string& path, int fd, std::uint64_t size);

/// A block, and whether all of it is there.
struct BlockPlace {
  Wholeness wholeness = Wholeness::kTorn;
  std::uint64_t payload_at = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t checksum = 0;

  std::uint64_t end() const { return payload_at + payload_size; }
};

/// Looks at the header of the block at byte `at` of a file of `size` bytes, where at < size.
Result<BlockPlace> find_block(const std::string& path, int fd, std::uint64_t at, std::uint64_t size);

/// Reads the payload of a block that is there. A last one that is damaged is torn.
Result<Wholeness> read_payload(const std::string& path, int fd, const BlockPlace& block, std::uint64_t size,
                               std::string& payload);

}  // namespace walcat
