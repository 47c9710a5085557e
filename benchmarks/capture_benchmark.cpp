// What do recording and reading a capture cost?
//
// Workload: frames of 150 bytes, in parcels of 256 KiB and in parcels of one frame, in a file of about 256 MiB in
// memory (/dev/shm, or where temporary files are), plain and compressed. Unit: frames a second; bytes are those of the
// frames. The baseline is `checksum`, which only sums up the frames of a parcel. Absolute numbers are this machine's.

#include <benchmark/benchmark.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

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

// Something like inserts: a header that counts on, names that come again, and numbers that do not.
std::string frame_of(std::uint64_t number) {
  std::string frame = "w";
  for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>((number * 216) >> shift & 0xFF);
  frame += std::string(16, '\0') + "I" + std::string("\0\0\x40\x12N\0\4t\0\0\0\7", 12) + std::to_string(number);
  std::uint64_t chance = (number + 1) * 0x9E3779B97F4A7C15;
  for (const char* name : {" account ", " amount ", " 2026-01-31 12:00:00.", " of customer "}) {
    chance = (chance ^ chance >> 31) * 0xBF58476D1CE4E5B9;
    frame += name + std::to_string(chance >> 44);
  }
  frame.resize(kFrameBytes, '.');
  return frame;
}

// As many as go into a compressed block several times over.
std::vector<std::unique_ptr<Batch>> batches(bool is_large) {
  std::vector<std::unique_ptr<Batch>> all;
  std::uint64_t number = 0;
  for (int i = 0; i < 32; ++i) {
    auto& batch = all.emplace_back(std::make_unique<Batch>(is_large ? kParcelBytes : kFrameBytes));
    for (bool is_first = true; batch->has_room(kFrameBytes) && (is_large || is_first); is_first = false) {
      batch->append_frame(frame_of(number++));
    }
  }
  return all;
}

std::vector<CapturedParcel> parcels_of(const std::vector<std::unique_ptr<Batch>>& batches) {
  CapturedParcel parcel;
  parcel.stream = std::make_shared<const StreamIdentity>();
  parcel.session = std::make_shared<const CapturedSession>();
  std::vector<CapturedParcel> all(batches.size(), parcel);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].frames = batches[i]->frames();
  return all;
}

void checksum(benchmark::State& state) {
  const auto all = batches(true);
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(crc32c(all[next++ % 4]->frames()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * all[0]->frames().size()));
}

void append(benchmark::State& state, bool is_large, bool compress) {
  const File file;
  const auto all = batches(is_large);
  const auto parcels = parcels_of(all);
  const CaptureOptions options{file.path(), compress};
  auto writer = CaptureWriter::open(options);
  std::size_t next = 0;
  std::size_t done = 0;
  for (auto _ : state) {
    const CapturedParcel& parcel = parcels[next++ % parcels.size()];
    (*writer)->append(parcel);
    done += parcel.frames.size();
    if (done < kFileBytes) continue;
    state.PauseTiming();
    done = 0;
    *writer = nullptr;
    std::filesystem::resize_file(file.path(), 0);
    writer = CaptureWriter::open(options);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * all[0]->frame_count()));
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * parcels[0].frames.size()));
}

void fill(const CaptureOptions& options, bool is_large) {
  const auto all = batches(is_large);
  const auto parcels = parcels_of(all);
  const auto writer = CaptureWriter::open(options);
  if (!writer.is_ok()) std::abort();
  std::size_t next = 0;
  for (std::size_t done = 0; done < kFileBytes; done += parcels[0].frames.size()) {
    (*writer)->append(parcels[next++ % parcels.size()]);
  }
  if (!(*writer)->write_gathered().is_ok()) std::abort();
}

void next_parcel(benchmark::State& state, bool is_large, bool compress) {
  const File file;
  fill(CaptureOptions{file.path(), compress}, is_large);
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
  const auto on_disk = static_cast<double>(std::filesystem::file_size(file.path()));
  state.counters["file"] = on_disk / static_cast<double>(kFileBytes);
  state.SetItemsProcessed(static_cast<std::int64_t>(frames));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

BENCHMARK(checksum);
BENCHMARK_CAPTURE(append, large, true, false);
BENCHMARK_CAPTURE(append, single, false, false);
BENCHMARK_CAPTURE(next_parcel, large, true, false);
BENCHMARK_CAPTURE(next_parcel, single, false, false);
BENCHMARK_CAPTURE(append, large_zstd, true, true);
BENCHMARK_CAPTURE(next_parcel, large_zstd, true, true);

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
