// Reaches what the unit tests do not: any bytes as a capture file, behind headers and checksums that hold as well, so
// that records are reached. Reading ends, with frames inside the file's bytes and an error that names the file; a
// writer appends where a reader finds no damage, and what is appended comes back behind what was there.
//
// By frames and by parcels, whose frames add up, it is the same; and what is summed up is what can be read.
//
// The first byte of the input says what is made of the rest. Bit 0: the payload of the file's first block, or else the
// file as it stands. Bit 1: that payload is compressed.

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "capture/crc32c.h"
#include "fuzz_target.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/capture/capture_writer.h"
#include "walcat/capture/summary.h"
#include "walcat/model/batch.h"

namespace walcat::test {
namespace {

// In memory where there is one, for a disk would be asked to sync at each input.
class File {
 public:
  File() {
    const std::filesystem::path memory = "/dev/shm";
    const auto folder = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    path_ = (folder / ("walcat_capture_fuzz." + std::to_string(::getpid()))).string();
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }
  void put(std::string_view bytes) const {
    std::ofstream(path_, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }

 private:
  std::string path_;
};

void put_u32(std::string& bytes, std::uint64_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xFF);
}

std::string file_of(std::string_view payload, std::uint32_t flags) {
  std::string bytes(kCaptureMagic);
  put_u32(bytes, kCaptureVersion);
  put_u32(bytes, crc32c(bytes));
  std::string header(kCaptureBlockMagic);
  put_u32(header, flags);
  put_u32(header, payload.size());
  put_u32(header, crc32c(payload));
  put_u32(header, crc32c(header));
  return bytes + header + std::string(payload);
}

struct Reading {
  std::vector<std::string> frames;
  Status end;
};

Reading read(const std::string& path, std::size_t most) {
  Reading reading;
  const auto reader = CaptureReader::open(path);
  if (!reader.is_ok()) return {{}, reader.status()};
  std::size_t bytes = 0;
  for (;;) {
    const auto next = (*reader)->next();
    if (!next.is_ok()) reading.end = next.status();
    if (!next.is_ok() || !*next) return reading;
    if ((*next)->stream == nullptr) finding("a frame of no stream");
    bytes += (*next)->bytes.size();
    if (bytes > most) finding("more frames than the file has bytes");
    reading.frames.emplace_back((*next)->bytes);
  }
}

// Frame by frame behind their sizes, which the reader has checked.
void check_frames(const CapturedParcel& parcel) {
  std::size_t count = 0;
  std::string_view frames = parcel.frames;
  for (; !frames.empty(); ++count) {
    if (frames.size() < Batch::kFrameHeader) finding("a frame without a size");
    const std::size_t size = Batch::load_frame_size(frames.data());
    if (size > frames.size() - Batch::kFrameHeader) finding("a frame reaches beyond its parcel");
    frames.remove_prefix(Batch::kFrameHeader + size);
  }
  if (count != parcel.frame_count) finding("another count of frames");
}

void check_parcels(const std::string& path, const Reading& frames) {
  const auto reader = CaptureReader::open(path);
  if (!reader.is_ok()) return;
  std::size_t count = 0;
  Status end;
  for (;;) {
    const auto next = (*reader)->next_parcel();
    end = next.status();
    if (!next.is_ok() || !*next) break;
    const CapturedParcel& parcel = **next;
    if (parcel.stream == nullptr || parcel.session == nullptr) finding("a parcel of no session");
    check_frames(parcel);
    for (const auto& note : parcel.notes) {
      if (note == nullptr) finding("a note that is none");
    }
    count += parcel.frame_count;
  }
  if (end.message() != frames.end.message()) finding("parcels end otherwise than frames", end.message());
  if (count + (*reader)->frames_left_out() != frames.frames.size()) finding("parcels hold other frames");
  const auto summary = summarize(path);
  if (!summary.is_ok() && summary.status().message().find(path) == std::string::npos) {
    finding("another error", summary.status().message());
  }
  if (summary.is_ok() && !end.is_ok()) finding("damage that is not told");
  if (summary.is_ok() && to_text(*summary).size() + to_json(*summary).size() == 0) finding("nothing to tell");
}

void check_append(const std::string& path, std::size_t most, Reading before) {
  const auto writer = CaptureWriter::open(path);
  // A writer does not look into blocks before the last one.
  if (!writer.is_ok() && before.end.is_ok()) finding("can't be appended to", writer.status().message());
  if (!writer.is_ok() || !before.end.is_ok()) return;
  static const auto kStream = std::make_shared<const StreamIdentity>();
  (*writer)->append({kStream, FrameRole::kStreamed, 0, 0, "appended"});
  if (const Status synced = (*writer)->sync(); !synced.is_ok()) finding("not written", synced.message());
  const Reading after = read(path, most + 8);
  before.frames.emplace_back("appended");
  if (!after.end.is_ok() || after.frames != before.frames) finding("other frames came back", after.end.message());
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  static const File file;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const bool is_payload = (bytes[0] & 1) != 0;
  const std::uint32_t flags = (bytes[0] & 2) != 0 ? kCaptureCompressed : 0;
  const std::string content = is_payload ? file_of(rest, flags) : std::string(rest);
  file.put(content);
  // zstd makes no more than so much of a byte, and an empty frame takes its size.
  const std::size_t most = content.size() << 17;
  const Reading reading = read(file.path(), flags == 0 && is_payload ? content.size() : most);
  if (!reading.end.is_ok() &&
      (reading.end.code() != StatusCode::kRefused || reading.end.message().find(file.path()) == std::string::npos)) {
    finding("another error", reading.end.message());
  }
  check_parcels(file.path(), reading);
  check_append(file.path(), most, reading);
  return 0;
}
