#pragma once

#include <cstddef>
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

/// Looks at the header of a file of `size` bytes, and tells its version unless it is torn.
Result<Wholeness> check_file_header(const std::string& path, int fd, std::uint64_t size, std::uint32_t& version);

/// A block, and whether all of it is there.
struct BlockPlace {
  Wholeness wholeness = Wholeness::kTorn;
  std::uint64_t payload_at = 0;
  std::uint32_t payload_size = 0;
  std::uint32_t checksum = 0;
  bool is_compressed = false;
  /// Whether a stream is described in it.
  bool describes = false;

  std::uint64_t end() const { return payload_at + payload_size; }
};

/// Reads `size` bytes at byte `at` to `to`, and returns how many there were; fewer only at the end of the file.
Result<std::size_t> read_at(const std::string& path, int fd, std::uint64_t at, char* to, std::size_t size);

/// What `header` says of the block at byte `at`; `header` is shorter than a header where the file ends in it.
Result<BlockPlace> read_block_header(const std::string& path, int fd, std::uint64_t at, std::uint64_t size,
                                     std::string_view header);
/// Looks at the header of the block at byte `at` of a file of `size` bytes, where at < size.
Result<BlockPlace> find_block(const std::string& path, int fd, std::uint64_t at, std::uint64_t size);

/// Compares what could be read of the payload with the block's header. A last block that is damaged is torn.
Result<Wholeness> check_payload(const std::string& path, const BlockPlace& block, std::uint64_t size,
                                std::string_view payload);

}  // namespace walcat
