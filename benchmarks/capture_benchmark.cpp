// What do recording and reading a capture cost?
//
// Workload: frames of 150 bytes, in parcels of 256 KiB and in parcels of one frame, in a file of about 256 MiB in
// memory (/dev/shm, or where temporary files are). Unit: frames a second; bytes are those of the
// frames. The baseline is `checksum`, which only sums up the frames of a parcel. Absolute numbers are this machine's.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "capture/crc32c.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/capture/capture_writer.h"
#include "walcat/model/batch.h"

namespace walcat::test {
namespace {

constexpr std::size_t kFrameBytes = 150;
constexpr std::size_t kParcelBytes = std::size_t{256} << 10;
constexpr std::size_t kFileBytes = std::size_t{256} << 20;

class File {
 public:
  File() {
    const std::filesystem::path memory = "/dev/shm";
    const auto folder = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    path_ = (folder / ("walcat_capture_benchmark." + std::to_string(::getpid()))).string();
  }
  ~File() { ::unlink(path_.c_str()); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Something like inserts: a header that counts on, then names and numbers that come again.
std::string frame_of(std::uint64_t number) {
  std::string frame = "w";
  for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>((number * 216) >> shift & 0xFF);
  frame += std::string(16, '\0') + "I" + std::string("\0\0\x40\x12N\0\4t\0\0\0\7", 12) + std::to_string(number);
  frame += " name " + std::to_string(number * 7919 % 1000) + " of a row that is about so long; 2026-01-31 12:00:00.";
  frame += std::to_string(number * 104729 % 1'000'000);
  frame.resize(kFrameBytes, '.');
  return frame;
}

std::unique_ptr<Batch> batch_of(bool is_large) {
  auto batch = std::make_unique<Batch>(is_large ? kParcelBytes : kFrameBytes);
  for (std::uint64_t i = 0; batch->has_room(kFrameBytes) && (is_large || i == 0); ++i) batch->append_frame(frame_of(i));
  return batch;
}

CapturedParcel parcel_of(const Batch& batch) {
  CapturedParcel parcel;
  parcel.stream = std::make_shared<const StreamIdentity>();
  parcel.session = std::make_shared<const CapturedSession>();
  parcel.frames = batch.frames();
  return parcel;
}

void fill(const std::string& path, const CapturedParcel& parcel, std::size_t bytes) {
  ::unlink(path.c_str());
  const auto writer = CaptureWriter::open(path);
  if (!writer.is_ok()) std::abort();
  for (std::size_t done = 0; done < bytes; done += parcel.frames.size()) (*writer)->append(parcel);
  if (!(*writer)->write_gathered().is_ok()) std::abort();
}

void checksum(benchmark::State& state) {
  const auto batch = batch_of(true);
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(batch->frames()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * batch->frames().size()));
}

void append(benchmark::State& state, bool is_large) {
  const File file;
  const auto batch = batch_of(is_large);
  const CapturedParcel parcel = parcel_of(*batch);
  fill(file.path(), parcel, kParcelBytes);
  // The file is written over from time to time: its pages are there, as a disk's are given back in turn.
  auto writer = CaptureWriter::open(file.path());
  std::size_t done = 0;
  for (auto _ : state) {
    (*writer)->append(parcel);
    done += parcel.frames.size();
    if (done < kFileBytes) continue;
    state.PauseTiming();
    done = 0;
    *writer = nullptr;
    std::filesystem::resize_file(file.path(), 0);
    writer = CaptureWriter::open(file.path());
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * batch->frame_count()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * parcel.frames.size()));
}

void next_parcel(benchmark::State& state, bool is_large) {
  const File file;
  const auto batch = batch_of(is_large);
  fill(file.path(), parcel_of(*batch), kFileBytes);
  auto reader = CaptureReader::open(file.path());
  std::size_t frames = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    auto next = (*reader)->next_parcel();
    if (!next.is_ok()) std::abort();
    if (!*next) {
      reader = CaptureReader::open(file.path());
      continue;
    }
    frames += (*next)->frame_count;
    bytes += (*next)->frames.size();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(frames));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(checksum);
BENCHMARK_CAPTURE(append, large, true);
BENCHMARK_CAPTURE(append, single, false);
BENCHMARK_CAPTURE(next_parcel, large, true);
BENCHMARK_CAPTURE(next_parcel, single, false);

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
