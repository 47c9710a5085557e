#include "walcat/capture/capture_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "append_file.h"
#include "block_file.h"
#include "compression.h"
#include "crc32c.h"
#include "record_bytes.h"
#include "record_encoder.h"
#include "series.h"

namespace walcat {

namespace {

// A block is written once its records are so large: while they are still near the processor, which is worth a tenth of
// the time. What is compressed becomes smaller in larger blocks.
constexpr std::size_t kBlockEnough = std::size_t{256} << 10;
constexpr std::size_t kCompressedEnough = std::size_t{1} << 20;

}  // namespace

CaptureWriter::CaptureWriter(const CaptureOptions& options, std::unique_ptr<AppendFile> file, std::uint64_t number)
    : options_(options),
      file_(std::move(file)),
      bytes_cut_(file_->bytes_cut()),
      number_(number),
      compressor_(options.compress ? std::make_unique<Compressor>() : nullptr),
      records_(std::make_unique<RecordEncoder>(options.rotate_bytes > 0)) {
  begin_payload();
}

CaptureWriter::~CaptureWriter() = default;

Result<std::unique_ptr<CaptureWriter>> CaptureWriter::open(const CaptureOptions& options) {
  std::uint64_t number = 0;
  std::string path = options.path;
  if (options.rotate_bytes > 0) {
    const auto last = last_of_series(options.path);
    if (!last.is_ok()) return last.status();
    number = std::max<std::uint64_t>(*last, 1);
    path = series_path(options.path, number);
  }
  auto file = AppendFile::open(path);
  if (!file.is_ok()) return file.status();
  if (options.rotate_bytes > 0) {
    // Whoever held the lock may have gone on to the next file.
    const auto last = last_of_series(options.path);
    if (!last.is_ok()) return last.status();
    if (*last != number) return capture_fault(options.path, "somebody else writes it");
  }
  return std::unique_ptr<CaptureWriter>(new CaptureWriter(options, std::move(*file), number));
}

const std::string& CaptureWriter::path() const { return file_->path(); }

// One large frame is no reason to keep its memory.
void CaptureWriter::begin_payload() {
  for (std::string* bytes : {&block_, &compressed_}) {
    if (bytes->capacity() > 2 * kCompressedEnough) std::string().swap(*bytes);
  }
  block_.assign(kCaptureBlockHeader, '\0');
}

void CaptureWriter::append(const CapturedParcel& parcel) { gather(parcel, parcel.frames.size()); }
void CaptureWriter::append(const CapturedFrame& frame) { gather(frame, frame.bytes.size()); }

template <typename Piece>
void CaptureWriter::gather(const Piece& piece, std::size_t bytes) {
  if (!status_.is_ok()) return;
  if (options_.rotate_bytes > 0) make_way(bytes);
  if (block_.size() + bytes > kCaptureBlockMost) {
    status_ = capture_fault(path(), fmt::format("{} bytes at once are more than a block takes", block_.size() + bytes));
    return;
  }
  records_->put(block_, piece);
  if (has_enough() && !is_out_of_room_) static_cast<void>(write_gathered());
}

// Ends the file if it has no room for `bytes` more: what comes then is written to be read by itself.
void CaptureWriter::make_way(std::size_t bytes) {
  const std::uint64_t end = is_next_due_ ? kCaptureFileHeader : file_->size();
  if (end == kCaptureFileHeader && is_empty()) return;
  if (end + block_.size() + bytes <= options_.rotate_bytes || is_out_of_room_) return;
  if (!write_gathered().is_ok()) return;
  is_next_due_ = true;
  records_->begin_file();
  streams_written_ = records_->streams_described();
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
  const bool describes = records_->streams_described() > streams_written_;
  put_u32(header, (block == &compressed_ ? kCaptureCompressed : 0) | (describes ? kCaptureDescribes : 0));
  put_u32(header, payload.size());
  put_u32(header, crc32c(payload));
  put_u32(header, crc32c(header));
  block->replace(0, header.size(), header);
  return *block;
}

Status CaptureWriter::write_block() {
  if (is_next_due_) {
    if (Status begun = begin_next_file(); !begun.is_ok()) return begun;
  }
  if (Status written = file_->append(finished_block()); !written.is_ok()) return written;
  streams_written_ = records_->streams_described();
  begin_payload();
  return Status::ok();
}

Status CaptureWriter::begin_next_file() {
  if (Status synced = file_->sync(); !synced.is_ok()) return synced;
  auto next = AppendFile::create(series_path(options_.path, number_ + 1));
  if (!next.is_ok()) return next.status();
  file_ = std::move(*next);
  ++number_;
  is_next_due_ = false;
  return Status::ok();
}

Status CaptureWriter::write_gathered() {
  if (!status_.is_ok() || is_empty()) return status_;
  Status written = write_block();
  is_out_of_room_ = written.code() == StatusCode::kUnavailable;
  if (!is_out_of_room_) status_ = written;
  return written;
}

Status CaptureWriter::sync() {
  if (Status written = write_gathered(); !written.is_ok()) return written;
  // What could not be synced once is forgotten by the system: another try would succeed and mean nothing.
  return status_ = file_->sync();
}

}  // namespace walcat
