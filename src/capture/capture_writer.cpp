#include "walcat/capture/capture_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "block_file.h"
#include "crc32c.h"

namespace walcat {

namespace {

// A payload is written once it is so large.
constexpr std::size_t kBlockEnough = std::size_t{1} << 20;
constexpr std::size_t kRecordHeader = 4;

void put_integer(std::string& bytes, std::uint64_t value, int size) {
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
}
void put_u32(std::string& bytes, std::uint64_t value) { put_integer(bytes, value, 4); }
void put_text(std::string& bytes, std::string_view text) {
  put_u32(bytes, text.size());
  bytes += text;
}

// The size of the record that begins at `record` is known now.
void end_record(std::string& bytes, std::size_t record) {
  std::string size;
  put_u32(size, bytes.size() - record - kRecordHeader);
  bytes.replace(record, kRecordHeader, size);
}

void put_stream(std::string& bytes, std::uint32_t number, const StreamIdentity& stream) {
  const std::size_t record = bytes.size();
  put_u32(bytes, 0);
  bytes += 'S';
  put_u32(bytes, number);
  put_integer(bytes, stream.is_utf8 ? 1 : 0, 1);
  put_u32(bytes, stream.server_version);
  put_u32(bytes, stream.timeline);
  for (const auto* text :
       {&stream.label, &stream.system_identifier, &stream.database, &stream.slot, &stream.publication}) {
    put_text(bytes, *text);
  }
  end_record(bytes, record);
}

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

Result<std::unique_ptr<CaptureWriter>> CaptureWriter::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return capture_failed(path, "open");
  std::unique_ptr<CaptureWriter> writer(new CaptureWriter(path, fd));
  if (Status prepared = writer->prepare(); !prepared.is_ok()) return prepared;
  return writer;
}

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
  const auto header = check_file_header(path_, fd_, size);
  if (!header.is_ok()) return header.status();
  if (*header == Wholeness::kTorn) return begin_file();
  if (Status found = find_end(); !found.is_ok()) return found;
  if (bytes_cut_ > 0 && ::ftruncate(fd_, static_cast<off_t>(end_)) != 0) return capture_failed(path_, "truncate");
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
      std::string payload;
      const auto read = read_payload(path_, fd_, *block, size, payload);
      if (!read.is_ok()) return read.status();
      if (*read == Wholeness::kTorn) break;
    }
    end_ = block->end();
  }
  bytes_cut_ = size - end_;
  return Status::ok();
}

Status CaptureWriter::begin_file() {
  std::string header(kCaptureMagic);
  put_u32(header, kCaptureVersion);
  put_u32(header, crc32c(header));
  if (::ftruncate(fd_, 0) != 0) return capture_failed(path_, "truncate");
  if (!write_all(fd_, header, 0)) return capture_failed(path_, "write");
  if (!sync_folder(path_)) return capture_failed(path_, "fsync of the folder");
  end_ = header.size();
  begin_payload();
  return Status::ok();
}

// One large frame is no reason to keep its memory.
void CaptureWriter::begin_payload() {
  if (block_.capacity() > 2 * kBlockEnough) std::string().swap(block_);
  block_.assign(kCaptureBlockHeader, '\0');
}

// Streams take turns rarely: the latest is known, any other is described anew.
std::uint32_t CaptureWriter::number_of(const std::shared_ptr<const StreamIdentity>& stream) {
  if (stream_ == nullptr || (stream_ != stream && *stream_ != *stream)) put_stream(block_, ++streams_, *stream);
  stream_ = stream;
  return streams_;
}

void CaptureWriter::append(const CapturedFrame& frame) {
  if (!status_.is_ok()) return;
  const std::uint32_t number = number_of(frame.stream);
  const std::size_t record = block_.size();
  put_u32(block_, 0);
  block_ += 'F';
  put_u32(block_, number);
  put_integer(block_, static_cast<std::uint64_t>(frame.role), 1);
  put_integer(block_, static_cast<std::uint64_t>(frame.taken_at), 8);
  put_integer(block_, frame.index, 8);
  block_ += frame.bytes;
  end_record(block_, record);
  if (block_.size() >= kBlockEnough) write_block();
}

void CaptureWriter::write_block() {
  const std::string_view payload = std::string_view(block_).substr(kCaptureBlockHeader);
  std::string header(kCaptureBlockMagic);
  put_u32(header, 0);
  put_u32(header, payload.size());
  put_u32(header, crc32c(payload));
  put_u32(header, crc32c(header));
  block_.replace(0, header.size(), header);
  if (!write_all(fd_, block_, end_)) {
    status_ = capture_failed(path_, "write");
    return;
  }
  end_ += block_.size();
  begin_payload();
}

Status CaptureWriter::sync() {
  if (status_.is_ok() && block_.size() > kCaptureBlockHeader) write_block();
  // What could not be synced once is forgotten by the system: another try would succeed and mean nothing.
  if (status_.is_ok() && ::fdatasync(fd_) != 0) status_ = capture_failed(path_, "fsync");
  return status_;
}

}  // namespace walcat
