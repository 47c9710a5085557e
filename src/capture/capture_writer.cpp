#include "walcat/capture/capture_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "block_file.h"
#include "compression.h"
#include "crc32c.h"
#include "record_bytes.h"
#include "record_encoder.h"

namespace walcat {

namespace {

// A block is written once its records are so large: while they are still near the processor, which is worth a tenth of
// the time. What is compressed becomes smaller in larger blocks.
constexpr std::size_t kBlockEnough = std::size_t{256} << 10;
constexpr std::size_t kCompressedEnough = std::size_t{1} << 20;
bool write_all(int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written == 0) errno = ENOSPC;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return true;
}

// For the file's name to be on the disk.
bool sync_folder(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int folder = ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  const bool synced = ::fsync(folder) == 0;
  ::close(folder);
  return synced;
}

}  // namespace

Result<std::unique_ptr<CaptureWriter>> CaptureWriter::open(const CaptureOptions& options) {
  const std::string& path = options.path;
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return capture_failed(path, "open");
  std::unique_ptr<CaptureWriter> writer(new CaptureWriter(options, fd));
  if (Status prepared = writer->prepare(); !prepared.is_ok()) return prepared;
  return writer;
}

CaptureWriter::CaptureWriter(const CaptureOptions& options, int fd)
    : path_(options.path),
      fd_(fd),
      compressor_(options.compress ? std::make_unique<Compressor>() : nullptr),
      records_(std::make_unique<RecordEncoder>()) {}

CaptureWriter::~CaptureWriter() { ::close(fd_); }

Status CaptureWriter::prepare() {
  struct stat about{};
  if (::fstat(fd_, &about) != 0) return capture_failed(path_, "stat");
  if (!S_ISREG(about.st_mode)) return capture_fault(path_, "not a regular file");
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    return errno == EWOULDBLOCK ? capture_fault(path_, "somebody else writes it") : capture_failed(path_, "lock");
  }
  // It may have grown until it was locked.
  if (::fstat(fd_, &about) != 0) return capture_failed(path_, "stat");
  const auto size = static_cast<std::uint64_t>(about.st_size);
  bytes_cut_ = size;
  std::uint32_t version = 0;
  const auto header = check_file_header(path_, fd_, size, version);
  if (!header.is_ok()) return header.status();
  if (*header == Wholeness::kTorn) return begin_file();
  if (Status found = find_end(); !found.is_ok()) return found;
  if (bytes_cut_ > 0 && ::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return capture_failed(path_, "truncate");
  if (version < kCaptureVersion) {
    if (Status written = write_file_header(); !written.is_ok()) return written;
  }
  begin_payload();
  return Status::ok();
}

// From block to block; of the last one it matters whether it is whole.
Status CaptureWriter::find_end() {
  const std::uint64_t size = bytes_cut_;
  end_ = kCaptureFileHeader;
  while (end_ < size) {
    const auto block = find_block(path_, fd_, end_, size);
    if (!block.is_ok()) return block.status();
    if (block->wholeness == Wholeness::kTorn) break;
    if (block->end() == size) {
      std::string payload(block->payload_size, '\0');
      const auto got = read_at(path_, fd_, block->payload_at, payload.data(), payload.size());
      if (!got.is_ok()) return got.status();
      const auto checked = check_payload(path_, *block, size, std::string_view(payload).substr(0, *got));
      if (!checked.is_ok()) return checked.status();
      if (*checked == Wholeness::kTorn) break;
    }
    end_ = block->end();
  }
  bytes_cut_ = size - end_;
  return Status::ok();
}

Status CaptureWriter::begin_file() {
  if (::ftruncate(fd_, 0) != 0) return capture_failed(path_, "truncate");
  if (Status written = write_file_header(); !written.is_ok()) return written;
  if (!sync_folder(path_)) return capture_failed(path_, "fsync of the folder");
  end_ = kCaptureFileHeader;
  begin_payload();
  return Status::ok();
}

Status CaptureWriter::write_file_header() {
  std::string header(kCaptureMagic);
  put_u32(header, kCaptureVersion);
  put_u32(header, crc32c(header));
  return write_all(fd_, header, 0) ? Status::ok() : capture_failed(path_, "write");
}

// One large frame is no reason to keep its memory.
void CaptureWriter::begin_payload() {
  for (std::string* bytes : {&block_, &compressed_}) {
    if (bytes->capacity() > 2 * kCompressedEnough) std::string().swap(*bytes);
  }
  block_.assign(kCaptureBlockHeader, '\0');
}

void CaptureWriter::append(const CapturedParcel& parcel) {
  if (!status_.is_ok()) return;
  records_->put(block_, parcel);
  if (has_enough()) write_block();
}

void CaptureWriter::append(const CapturedFrame& frame) {
  if (!status_.is_ok()) return;
  records_->put(block_, frame);
  if (has_enough()) write_block();
}

bool CaptureWriter::has_enough() const {
  return block_.size() >= (compressor_ == nullptr ? kBlockEnough : kCompressedEnough);
}

// What is gathered, behind its header.
std::string_view CaptureWriter::finished_block() {
  std::string* block = &block_;
  if (compressor_ != nullptr) {
    compressed_.assign(kCaptureBlockHeader, '\0');
    const std::string_view records = std::string_view(block_).substr(kCaptureBlockHeader);
    if (compressor_->compress(records, compressed_)) block = &compressed_;
  }
  const std::string_view payload = std::string_view(*block).substr(kCaptureBlockHeader);
  std::string header(kCaptureBlockMagic);
  put_u32(header, block == &compressed_ ? kCaptureCompressed : 0);
  put_u32(header, payload.size());
  put_u32(header, crc32c(payload));
  put_u32(header, crc32c(header));
  block->replace(0, header.size(), header);
  return *block;
}

void CaptureWriter::write_block() {
  const std::string_view block = finished_block();
  if (!write_all(fd_, block, end_)) {
    status_ = capture_failed(path_, "write");
    return;
  }
  end_ += block.size();
  begin_payload();
}

Status CaptureWriter::write_gathered() {
  if (status_.is_ok() && block_.size() > kCaptureBlockHeader) write_block();
  return status_;
}

Status CaptureWriter::sync() {
  if (Status written = write_gathered(); !written.is_ok()) return written;
  // What could not be synced once is forgotten by the system: another try would succeed and mean nothing.
  if (status_.is_ok() && ::fdatasync(fd_) != 0) status_ = capture_failed(path_, "fsync");
  return status_;
}

}  // namespace walcat
