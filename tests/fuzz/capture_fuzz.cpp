// Reaches what the unit tests do not: any bytes as a capture file, behind headers and checksums that hold as well, so
// that records are reached. Reading ends, with frames inside the file's bytes and an error that names the file; a
// writer appends where a reader finds no damage, and what is appended comes back behind what was there.
//
// The first byte of the input says what is made of the rest: the file as it stands, or the payload of its first block.

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

std::string file_of(std::string_view payload) {
  std::string bytes(kCaptureMagic);
  put_u32(bytes, kCaptureVersion);
  put_u32(bytes, crc32c(bytes));
  std::string header(kCaptureBlockMagic);
  put_u32(header, 0);
  put_u32(header, payload.size());
  put_u32(header, crc32c(payload));
  put_u32(header, crc32c(header));
  return bytes + header + std::string(payload);
}

struct Reading {
  std::vector<std::string> frames;
  Status end;
};

Reading read(const std::string& path, std::size_t size) {
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
    if (bytes > size) finding("more frames than the file has bytes");
    reading.frames.emplace_back((*next)->bytes);
  }
}

void check_append(const std::string& path, std::size_t size, Reading before) {
  const auto writer = CaptureWriter::open(path);
  // A writer does not look into blocks before the last one.
  if (!writer.is_ok() && before.end.is_ok()) finding("can't be appended to", writer.status().message());
  if (!writer.is_ok() || !before.end.is_ok()) return;
  static const auto kStream = std::make_shared<const StreamIdentity>();
  (*writer)->append({kStream, FrameRole::kStreamed, 0, 0, "appended"});
  if (const Status synced = (*writer)->sync(); !synced.is_ok()) finding("not written", synced.message());
  const Reading after = read(path, size + 8);
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
  const std::string content = (bytes[0] & 1) == 0 ? std::string(rest) : file_of(rest);
  file.put(content);
  const Reading reading = read(file.path(), content.size());
  if (!reading.end.is_ok() &&
      (reading.end.code() != StatusCode::kRefused || reading.end.message().find(file.path()) == std::string::npos)) {
    finding("another error", reading.end.message());
  }
  check_append(file.path(), content.size(), reading);
  return 0;
}
