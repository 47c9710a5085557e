// What does a change cost on the street, room by room, without a server?
//
// Workloads (see workload.h), in batches of 256 KiB of frames: `narrow`, inserts of 4 columns, 100 a transaction;
// `single`, the same, 1 a transaction; `updates` with the whole old row; `deletes` by key; `wide`, inserts of 30
// columns; `mixed`, of 30 columns of many types. Unit: changes a second; bytes are those of frames where they are read,
// those of lines where they are written. The baseline is `walk`, which only steps from frame to frame.
//
// `walk`, `decode` and `serialize` take one batch again and again, so all is in the core's own caches. `cold` takes 48
// MiB of batches in turn, as they come from another core. `street` is all of it in one thread: frames are copied into
// pooled batches, decoded and serialized.

#include <benchmark/benchmark.h>

#include <memory>
#include <vector>

#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"
#include "workload.h"

namespace walcat::test {
namespace {

constexpr std::size_t kHotBytes = 1;
constexpr std::size_t kColdBytes = std::size_t{48} << 20;

using Batches = std::vector<std::unique_ptr<Batch>>;

void walk(benchmark::State& state, const Workload& load, std::size_t bytes) {
  const Batches batches = Packer(load).pack(bytes);
  std::int64_t frames = 0;
  for (auto _ : state) {
    for (const auto& batch : batches) {
      batch->for_each_frame([&](std::string_view frame) {
        benchmark::DoNotOptimize(frame.front());
        ++frames;
        return true;
      });
    }
  }
  state.SetItemsProcessed(frames);
}

// Each round a new decoder, to which the positions are new.
void decode(benchmark::State& state, const Workload& load, std::size_t bytes) {
  const Batches batches = Packer(load).pack(bytes);
  std::int64_t changes = 0;
  std::int64_t read = 0;
  for (auto _ : state) {
    Decoder decoder;
    for (const auto& batch : batches) {
      if (!decoder.decode(*batch).is_ok()) return state.SkipWithError("malformed");
      changes += static_cast<std::int64_t>(batch->changes.size());
      read += static_cast<std::int64_t>(batch->frames_size());
      drop_changes(*batch);
    }
  }
  state.SetItemsProcessed(changes);
  state.SetBytesProcessed(read);
}

std::size_t serialize(Serializer& serializer, Batch& batch) {
  std::size_t bytes = 0;
  while (batch.changes_written < batch.changes.size()) {
    serializer.serialize(batch);
    batch.changes_written += static_cast<std::uint32_t>(batch.line_ends.size());
    bytes += batch.lines.size();
    batch.line_ends.clear();
    batch.lines.clear(batch.line_bytes());
  }
  return bytes;
}

void serialize(benchmark::State& state, const Workload& load, const SerializerOptions& options, std::size_t bytes) {
  const Batches batches = Packer(load).pack(bytes);
  Decoder decoder;
  for (const auto& batch : batches) {
    if (!decoder.decode(*batch).is_ok()) return state.SkipWithError("malformed");
  }
  Serializer serializer(options);
  std::int64_t changes = 0;
  std::int64_t written = 0;
  for (auto _ : state) {
    for (const auto& batch : batches) {
      batch->changes_written = 0;
      written += static_cast<std::int64_t>(serialize(serializer, *batch));
      changes += static_cast<std::int64_t>(batch->changes.size());
    }
  }
  state.SetItemsProcessed(changes);
  state.SetBytesProcessed(written);
}

void street(benchmark::State& state, const Workload& load, const SerializerOptions& options) {
  const Batches captured = Packer(load).pack(kColdBytes);
  constexpr std::size_t kPooled = 8;
  Batches pool;
  for (std::size_t i = 0; i < kPooled; ++i) pool.push_back(std::make_unique<Batch>(kBatchBytes));
  Serializer serializer(options);
  std::int64_t changes = 0;
  std::int64_t written = 0;
  for (auto _ : state) {
    Decoder decoder;
    for (std::size_t i = 0; i < captured.size(); ++i) {
      Batch& batch = *pool[i % kPooled];
      batch.clear();
      batch.append_frames(captured[i]->frames(), captured[i]->frame_count());
      batch.database = captured[i]->database;
      batch.session = 1;
      batch.sequence = i;
      if (!decoder.decode(batch).is_ok()) return state.SkipWithError("malformed");
      written += static_cast<std::int64_t>(serialize(serializer, batch));
      changes += static_cast<std::int64_t>(batch.changes.size());
    }
  }
  state.SetItemsProcessed(changes);
  state.SetBytesProcessed(written);
}

SerializerOptions with(Envelope envelope, Values values) {
  SerializerOptions options;
  options.envelope = envelope;
  options.values = values;
  options.position = envelope == Envelope::kMessage || envelope == Envelope::kRow;
  return options;
}

SerializerOptions message() { return with(Envelope::kMessage, Values::kNative); }
SerializerOptions text() { return with(Envelope::kMessage, Values::kText); }
SerializerOptions row() { return with(Envelope::kRow, Values::kNative); }
SerializerOptions debezium() { return with(Envelope::kDebezium, Values::kDebezium); }

BENCHMARK_CAPTURE(walk, narrow, narrow(), kHotBytes);
BENCHMARK_CAPTURE(walk, cold_narrow, narrow(), kColdBytes);
BENCHMARK_CAPTURE(walk, wide, wide(), kHotBytes);
BENCHMARK_CAPTURE(walk, cold_wide, wide(), kColdBytes);
BENCHMARK_CAPTURE(decode, narrow, narrow(), kHotBytes);
BENCHMARK_CAPTURE(decode, single, narrow(1), kHotBytes);
BENCHMARK_CAPTURE(decode, updates, updates(), kHotBytes);
BENCHMARK_CAPTURE(decode, deletes, deletes(), kHotBytes);
BENCHMARK_CAPTURE(decode, wide, wide(), kHotBytes);
BENCHMARK_CAPTURE(decode, mixed, mixed(), kHotBytes);
BENCHMARK_CAPTURE(decode, cold_narrow, narrow(), kColdBytes);
BENCHMARK_CAPTURE(decode, cold_wide, wide(), kColdBytes);
BENCHMARK_CAPTURE(serialize, narrow_message, narrow(), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, narrow_text, narrow(), text(), kHotBytes);
BENCHMARK_CAPTURE(serialize, narrow_row, narrow(), row(), kHotBytes);
BENCHMARK_CAPTURE(serialize, narrow_debezium, narrow(), debezium(), kHotBytes);
BENCHMARK_CAPTURE(serialize, single_message, narrow(1), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, single_debezium, narrow(1), debezium(), kHotBytes);
BENCHMARK_CAPTURE(serialize, updates_message, updates(), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, updates_debezium, updates(), debezium(), kHotBytes);
BENCHMARK_CAPTURE(serialize, deletes_message, deletes(), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, wide_message, wide(), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, wide_text, wide(), text(), kHotBytes);
BENCHMARK_CAPTURE(serialize, wide_row, wide(), row(), kHotBytes);
BENCHMARK_CAPTURE(serialize, wide_debezium, wide(), debezium(), kHotBytes);
BENCHMARK_CAPTURE(serialize, mixed_message, mixed(), message(), kHotBytes);
BENCHMARK_CAPTURE(serialize, mixed_debezium, mixed(), debezium(), kHotBytes);
BENCHMARK_CAPTURE(serialize, cold_narrow_message, narrow(), message(), kColdBytes);
BENCHMARK_CAPTURE(serialize, cold_wide_message, wide(), message(), kColdBytes);
BENCHMARK_CAPTURE(street, narrow_message, narrow(), message());
BENCHMARK_CAPTURE(street, single_message, narrow(1), message());
BENCHMARK_CAPTURE(street, updates_message, updates(), message());
BENCHMARK_CAPTURE(street, deletes_message, deletes(), message());
BENCHMARK_CAPTURE(street, wide_message, wide(), message());
BENCHMARK_CAPTURE(street, mixed_message, mixed(), message());

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
