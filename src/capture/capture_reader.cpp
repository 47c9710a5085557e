#include "walcat/capture/capture_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "block_file.h"

namespace walcat {

Result<std::unique_ptr<CaptureReader>> CaptureReader::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return capture_failed(path, "open");
  std::unique_ptr<CaptureReader> reader(new CaptureReader(path, fd));
  struct stat about{};
  if (::fstat(fd, &about) != 0) return capture_failed(path, "stat");
  if (!S_ISREG(about.st_mode)) return capture_fault(path, "not a regular file");
  reader->size_ = static_cast<std::uint64_t>(about.st_size);
  const auto header = check_file_header(path, fd, reader->size_);
  if (!header.is_ok()) return header.status();
  if (*header == Wholeness::kTorn) {
    reader->at_ = reader->size_;
    reader->torn_at_ = 0;
  }
  return reader;
}

CaptureReader::~CaptureReader() { ::close(fd_); }

Result<std::optional<CapturedFrame>> CaptureReader::next() {
  while (status_.is_ok()) {
    if (records_.remaining() == 0) {
      const auto more = read_block();
      if (!more.is_ok()) return status_ = more.status();
      if (!*more) return std::optional<CapturedFrame>();
    }
    auto frame = read_record();
    if (!frame.is_ok()) return status_ = frame.status();
    if (*frame) return frame;
  }
  return status_;
}

// False at the end.
Result<bool> CaptureReader::read_block() {
  if (at_ >= size_) return false;
  const auto block = find_block(path_, fd_, at_, size_);
  if (!block.is_ok()) return block.status();
  Wholeness wholeness = block->wholeness;
  if (wholeness == Wholeness::kWhole) {
    const auto read = read_payload(path_, fd_, *block, size_, payload_);
    if (!read.is_ok()) return read.status();
    wholeness = *read;
  }
  if (wholeness == Wholeness::kTorn) {
    torn_at_ = at_;
    at_ = size_;
    return false;
  }
  payload_at_ = block->payload_at;
  records_ = ByteReader(payload_);
  at_ = block->end();
  return true;
}

// Nothing after a record that is no frame.
Result<std::optional<CapturedFrame>> CaptureReader::read_record() {
  record_at_ = records_.offset();
  const std::uint32_t size = records_.u32();
  ByteReader record(records_.bytes(size));
  if (records_.failed()) return damaged("a record reaches beyond its block");
  const std::uint8_t kind = record.u8();
  if (record.failed()) return damaged("an empty record");
  if (kind == 'F') return read_frame(record);
  if (kind != 'S') return damaged("a record of an unknown kind");
  if (Status read = read_stream(record); !read.is_ok()) return read;
  return std::optional<CapturedFrame>();
}

Status CaptureReader::read_stream(ByteReader record) {
  auto stream = std::make_shared<StreamIdentity>();
  const std::uint32_t number = record.u32();
  stream->is_utf8 = (record.u8() & 1) != 0;
  stream->server_version = record.u32();
  stream->timeline = record.u32();
  for (auto* text :
       {&stream->label, &stream->system_identifier, &stream->database, &stream->slot, &stream->publication}) {
    *text = record.bytes(record.u32());
  }
  if (record.failed() || record.remaining() > 0) return damaged("a stream is not described as it should be");
  streams_[number] = std::move(stream);
  return Status::ok();
}

Result<std::optional<CapturedFrame>> CaptureReader::read_frame(ByteReader record) {
  CapturedFrame frame;
  const auto stream = streams_.find(record.u32());
  const std::uint8_t role = record.u8();
  frame.taken_at = record.i64();
  frame.index = record.u64();
  frame.bytes = record.bytes(record.remaining());
  if (record.failed()) return damaged("a frame ends before it begins");
  if (stream == streams_.end()) return damaged("a frame of a stream that was never described");
  if (role > static_cast<std::uint8_t>(FrameRole::kDeadLetter)) return damaged("a frame of an unknown role");
  frame.role = static_cast<FrameRole>(role);
  frame.stream = stream->second;
  return std::optional(frame);
}

Status CaptureReader::damaged(const char* what) {
  return capture_fault(path_, fmt::format("damaged at byte {}: {}", payload_at_ + record_at_, what));
}

}  // namespace walcat
