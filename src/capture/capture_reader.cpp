#include "walcat/capture/capture_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "block_file.h"
#include "compression.h"
#include "record_decoder.h"
#include "walcat/model/batch.h"

namespace walcat {

namespace {

// Memory that the largest block took beyond this is given back.
constexpr std::size_t kBlockKept = std::size_t{4} << 20;

}  // namespace

CaptureReader::CaptureReader(std::string path, int fd)
    : path_(std::move(path)),
      fd_(fd),
      block_(0),
      unpacked_(0),
      decompressor_(std::make_unique<Decompressor>()),
      records_(std::make_unique<RecordDecoder>()) {}

CaptureReader::~CaptureReader() { ::close(fd_); }

Result<std::unique_ptr<CaptureReader>> CaptureReader::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return capture_failed(path, "open");
  std::unique_ptr<CaptureReader> reader(new CaptureReader(path, fd));
  if (Status opened = reader->open_file(); !opened.is_ok()) return opened;
  return reader;
}

Result<std::vector<std::shared_ptr<const StreamIdentity>>> CaptureReader::streams(const std::string& path) {
  auto reader = open(path);
  if (!reader.is_ok()) return reader.status();
  (*reader)->only_descriptions_ = true;
  std::vector<std::shared_ptr<const StreamIdentity>> streams;
  for (;;) {
    const auto parcel = (*reader)->next_parcel();
    if (!parcel.is_ok() && streams.empty()) return parcel.status();
    if (!parcel.is_ok() || !*parcel) return streams;
    const auto is_it = [&](const auto& stream) { return *stream == *(*parcel)->stream; };
    if (!streams.empty() && streams.back() == (*parcel)->stream) continue;
    if (std::none_of(streams.begin(), streams.end(), is_it)) streams.push_back((*parcel)->stream);
  }
}

Status CaptureReader::open_file() {
  struct stat about{};
  if (::fstat(fd_, &about) != 0) return capture_failed(path_, "stat");
  if (!S_ISREG(about.st_mode)) return capture_fault(path_, "not a regular file");
  size_ = static_cast<std::uint64_t>(about.st_size);
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
  facts_.bytes = size_;
  const auto header = check_file_header(path_, fd_, size_, facts_.version);
  if (!header.is_ok()) return header.status();
  if (*header == Wholeness::kTorn) {
    at_ = size_;
    torn_at_ = 0;
    return Status::ok();
  }
  const auto got = read_at(path_, fd_, at_, header_.data(), header_.size());
  if (!got.is_ok()) return got.status();
  header_size_ = *got;
  return Status::ok();
}

Result<std::optional<CapturedParcel>> CaptureReader::next_parcel() {
  for (;;) {
    const auto more = next_record();
    if (!more.is_ok()) return more.status();
    if (!*more) return std::optional<CapturedParcel>();
    if (records_->found() == RecordDecoder::Found::kParcel) return std::optional(records_->parcel());
    if (records_->found() != RecordDecoder::Found::kFrame) continue;
    ++frames_left_out_;
    if (records_->frame().role == FrameRole::kDeadLetter) ++dead_letters_left_out_;
  }
}

Result<std::optional<CapturedFrame>> CaptureReader::next() {
  while (frames_.empty()) {
    const auto more = next_record();
    if (!more.is_ok()) return more.status();
    if (!*more) return std::optional<CapturedFrame>();
    if (records_->found() == RecordDecoder::Found::kFrame) return std::optional(records_->frame());
    if (records_->found() == RecordDecoder::Found::kParcel) frames_ = records_->parcel().frames;
  }
  return std::optional(next_of_parcel());
}

CapturedFrame CaptureReader::next_of_parcel() {
  const CapturedParcel& parcel = records_->parcel();
  const std::string_view bytes = frames_.substr(Batch::kFrameHeader, Batch::load_frame_size(frames_.data()));
  frames_.remove_prefix(Batch::kFrameHeader + bytes.size());
  return {parcel.stream, parcel.is_context ? FrameRole::kContext : FrameRole::kStreamed, parcel.received_at, 0, bytes};
}

// False at the end.
Result<bool> CaptureReader::next_record() {
  if (!status_.is_ok()) return status_;
  while (!records_->has_record()) {
    const auto more = read_block();
    if (!more.is_ok()) return status_ = more.status();
    if (!*more) return false;
  }
  if (records_->next() == RecordDecoder::Found::kDamage) return status_ = damaged(records_->damage());
  return true;
}

// The block that comes next, or that is looked for.
Result<BlockPlace> CaptureReader::next_block() {
  for (;;) {
    auto block = read_block_header(path_, fd_, at_, size_, std::string_view(header_.data(), header_size_));
    const bool is_passed = block.is_ok() && only_descriptions_ && block->wholeness == Wholeness::kWhole &&
                           !block->describes && block->end() < size_;
    if (!is_passed) return block;
    at_ = block->end();
    const auto got = read_at(path_, fd_, at_, header_.data(), header_.size());
    if (!got.is_ok()) return got.status();
    header_size_ = *got;
  }
}

// The header of the next block is read along, so a block is one call. False at the end.
Result<bool> CaptureReader::read_block() {
  if (at_ >= size_) return false;
  const auto block = next_block();
  if (!block.is_ok()) return block.status();
  Wholeness wholeness = block->wholeness;
  if (wholeness == Wholeness::kWhole) {
    const auto after = static_cast<std::size_t>(std::min<std::uint64_t>(kCaptureBlockHeader, size_ - block->end()));
    block_.clear(kBlockKept);
    block_.ensure(block->payload_size + after);
    const auto got = read_at(path_, fd_, block->payload_at, block_.data(), block->payload_size + after);
    if (!got.is_ok()) return got.status();
    const std::string_view payload(block_.data(), std::min<std::size_t>(*got, block->payload_size));
    header_size_ = *got - payload.size();
    std::memcpy(header_.data(), payload.data() + payload.size(), header_size_);
    const auto checked = check_payload(path_, *block, size_, payload);
    if (!checked.is_ok()) return checked.status();
    wholeness = *checked;
    payload_at_ = block->payload_at;
    is_compressed_ = block->is_compressed;
    if (Status begun = begin_records(wholeness == Wholeness::kWhole ? payload : ""); !begun.is_ok()) return begun;
  }
  if (wholeness == Wholeness::kTorn) {
    torn_at_ = at_;
    at_ = size_;
    return false;
  }
  at_ = block->end();
  return true;
}

Status CaptureReader::begin_records(std::string_view payload) {
  if (is_compressed_ && !payload.empty()) {
    if (!decompressor_->decompress(payload, unpacked_, kBlockKept)) {
      return capture_fault(path_,
                           fmt::format("damaged at byte {}: what is compressed there makes no sense", payload_at_));
    }
    payload = unpacked_.view();
  }
  if (!payload.empty()) {
    ++facts_.blocks;
    facts_.compressed_blocks += is_compressed_ ? 1 : 0;
    facts_.record_bytes += payload.size();
  }
  records_->begin_block(payload);
  return Status::ok();
}

Status CaptureReader::damaged(const char* what) const {
  const std::size_t at = records_->record_at();
  if (!is_compressed_) return capture_fault(path_, fmt::format("damaged at byte {}: {}", payload_at_ + at, what));
  return capture_fault(
      path_, fmt::format("damaged at byte {}, in byte {} of what is compressed there: {}", payload_at_, at, what));
}

}  // namespace walcat
