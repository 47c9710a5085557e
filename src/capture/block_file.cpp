#include "block_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "crc32c.h"
#include "walcat/base/byte_reader.h"
#include "walcat/capture/format.h"

namespace walcat {

namespace {

constexpr std::size_t kLook = 64 << 10;

bool is_zero(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

Result<bool> is_zero_from(const std::string& path, int fd, std::uint64_t at, std::uint64_t size) {
  std::string bytes(kLook, '\0');
  while (at < size) {
    const auto look = static_cast<std::size_t>(std::min<std::uint64_t>(kLook, size - at));
    const auto got = read_at(path, fd, at, bytes.data(), look);
    if (!got.is_ok()) return got.status();
    if (!is_zero(std::string_view(bytes).substr(0, *got))) return false;
    if (*got == 0) break;
    at += *got;
  }
  return true;
}

}  // namespace

Status capture_fault(const std::string& path, std::string_view what) {
  return {StatusCode::kRefused, fmt::format("capture file {}: {}", path, what)};
}

Status capture_failed(const std::string& path, const char* step) {
  const int reason = errno;
  return capture_fault(path, fmt::format("{}: {}", step, std::generic_category().message(reason)));
}

Result<Wholeness> check_file_header(const std::string& path, int fd, std::uint64_t size, std::uint32_t& version) {
  std::string header(kCaptureFileHeader, '\0');
  const auto got = read_at(path, fd, 0, header.data(), header.size());
  if (!got.is_ok()) return got.status();
  header.resize(*got);
  const std::string_view magic = std::string_view(header).substr(0, kCaptureMagic.size());
  const bool is_short = header.size() < kCaptureFileHeader;
  if (is_short && kCaptureMagic.substr(0, magic.size()) == magic) return Wholeness::kTorn;
  if (is_zero(header)) {
    const auto zero = is_zero_from(path, fd, 0, size);
    if (!zero.is_ok()) return zero.status();
    if (*zero) return Wholeness::kTorn;
  }
  if (is_short || magic != kCaptureMagic) return capture_fault(path, "not a walcat capture");
  ByteReader reader(std::string_view(header).substr(kCaptureMagic.size()));
  version = reader.u32();
  if (reader.u32() != crc32c(std::string_view(header).substr(0, 12))) {
    return capture_fault(path, "damaged at byte 0: the file header has another checksum");
  }
  if (version < 1 || version > kCaptureVersion) {
    return capture_fault(path,
                         fmt::format("version {}; this walcat knows versions up to {}", version, kCaptureVersion));
  }
  return Wholeness::kWhole;
}

Result<std::size_t> read_at(const std::string& path, int fd, std::uint64_t at, char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(fd, to + done, size - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return capture_failed(path, "read");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<BlockPlace> find_block(const std::string& path, int fd, std::uint64_t at, std::uint64_t size) {
  std::string header(kCaptureBlockHeader, '\0');
  const auto got = read_at(path, fd, at, header.data(), header.size());
  if (!got.is_ok()) return got.status();
  header.resize(*got);
  return read_block_header(path, fd, at, size, header);
}

Result<BlockPlace> read_block_header(const std::string& path, int fd, std::uint64_t at, std::uint64_t size,
                                     std::string_view header) {
  BlockPlace block;
  if (header.size() < kCaptureBlockHeader) return block;
  ByteReader reader(header);
  const std::string_view magic = reader.bytes(kCaptureBlockMagic.size());
  const std::uint32_t flags = reader.u32();
  block.payload_size = reader.u32();
  block.checksum = reader.u32();
  if (magic != kCaptureBlockMagic || reader.u32() != crc32c(header.substr(0, 16))) {
    const auto zero = is_zero_from(path, fd, at, size);
    if (!zero.is_ok()) return zero.status();
    if (*zero) return block;
    return capture_fault(path, fmt::format("damaged at byte {}: no header of a block", at));
  }
  if ((flags & ~(kCaptureCompressed | kCaptureDescribes)) != 0) {
    return capture_fault(path,
                         fmt::format("block at byte {} has flags 0x{:x}, which this walcat does not know", at, flags));
  }
  if (block.payload_size == 0) return capture_fault(path, fmt::format("damaged at byte {}: an empty block", at));
  block.is_compressed = (flags & kCaptureCompressed) != 0;
  block.describes = (flags & kCaptureDescribes) != 0;
  block.payload_at = at + kCaptureBlockHeader;
  if (block.end() <= size) block.wholeness = Wholeness::kWhole;
  return block;
}

Result<Wholeness> check_payload(const std::string& path, const BlockPlace& block, std::uint64_t size,
                                std::string_view payload) {
  if (payload.size() == block.payload_size && crc32c(payload) == block.checksum) return Wholeness::kWhole;
  if (block.end() >= size) return Wholeness::kTorn;
  return capture_fault(
      path, fmt::format("damaged in the block at byte {}: another checksum", block.payload_at - kCaptureBlockHeader));
}

}  // namespace walcat
