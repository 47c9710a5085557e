// What does a change cost on the street, room by room, without a server?
//
// Workload: batches of 256 KiB of frames in memory. `narrow`: inserts of 4 short columns, 100 a transaction (about
// 120 bytes a frame). `wide`: inserts of 30 mixed columns (about 1.3 kB a frame). Unit: changes a second; bytes are
// those of the lines. The baseline is `walk`, which only steps from frame to frame. Absolute numbers are this
// machine's.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "decoder/frames.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{256} << 10;
constexpr std::uint64_t kChangesPerTransaction = 100;

struct Workload {
  TableSpec table;
  Tuple row;
};

Workload narrow() {
  Workload load;
  load.table.columns = {{"id", kInt4, true}, {"a", kInt4}, {"b"}, {"c"}};
  load.row = {"1234567", "42", "name 42 of 7", "2026-01-31 12:00:00.123456+00"};
  return load;
}

Workload wide() {
  Workload load;
  for (int i = 0; i < 30; ++i) {
    const bool is_number = i % 3 == 0;
    load.table.columns.push_back({"column_" + std::to_string(i), is_number ? kInt4 : kText, i == 0});
    load.row.emplace_back(is_number ? "123456" : std::string(static_cast<std::size_t>(20 + 3 * i), 'x'));
  }
  return load;
}

// A batch that can be decoded again and again: positions stand at its beginning for each new decoder.
std::unique_ptr<Batch> packed(const Workload& load) {
  auto batch = std::make_unique<Batch>(kBatchBytes);
  std::uint64_t lsn = 0x1000;
  const auto add = [&](const std::string& message) { batch->append_frame(at(lsn += 0x80, message)); };
  const std::string change = insert(load.table.oid, load.row);
  std::uint64_t commit_lsn = 0;
  for (std::uint64_t i = 0; batch->has_room(change.size() + 256); ++i) {
    if (i % kChangesPerTransaction == 0) {
      if (commit_lsn != 0) add(commit(commit_lsn, commit_lsn + 0x30));
      commit_lsn = lsn + (kChangesPerTransaction + 4) * 0x80;
      add(begin(commit_lsn));
    }
    if (i == 0) add(relation(load.table));
    add(change);
  }
  batch->database = std::make_shared<const std::string>("bench");
  batch->session = 1;
  return batch;
}

void drop_changes(Batch& batch) {
  batch.changes.clear();
  batch.cells.clear();
  batch.transactions.clear();
  batch.progress_points.clear();
  batch.relations.clear();
}

void walk(benchmark::State& state, const Workload& load) {
  const auto batch = packed(load);
  std::int64_t frames = 0;
  for (auto _ : state) {
    batch->for_each_frame([&](std::string_view frame) {
      benchmark::DoNotOptimize(frame.front());
      ++frames;
      return true;
    });
  }
  state.SetItemsProcessed(frames);
}

void decode(benchmark::State& state, const Workload& load) {
  const auto batch = packed(load);
  std::int64_t changes = 0;
  for (auto _ : state) {
    Decoder decoder;
    benchmark::DoNotOptimize(decoder.decode(*batch).is_ok());
    changes += static_cast<std::int64_t>(batch->changes.size());
    drop_changes(*batch);
  }
  state.SetItemsProcessed(changes);
}

void serialize(benchmark::State& state, const Workload& load, const SerializerOptions& options) {
  const auto batch = packed(load);
  Decoder decoder;
  benchmark::DoNotOptimize(decoder.decode(*batch).is_ok());
  Serializer serializer(options);
  std::int64_t changes = 0;
  std::int64_t bytes = 0;
  for (auto _ : state) {
    batch->changes_written = 0;
    while (batch->changes_written < batch->changes.size()) {
      serializer.serialize(*batch);
      batch->changes_written += static_cast<std::uint32_t>(batch->line_ends.size());
      bytes += static_cast<std::int64_t>(batch->lines.size());
      batch->line_ends.clear();
      batch->lines.clear(batch->line_bytes());
    }
    changes += batch->changes_written;
  }
  state.SetItemsProcessed(changes);
  state.SetBytesProcessed(bytes);
}

SerializerOptions with(Envelope envelope, Values values) {
  SerializerOptions options;
  options.envelope = envelope;
  options.values = values;
  options.position = envelope == Envelope::kMessage || envelope == Envelope::kRow;
  return options;
}

BENCHMARK_CAPTURE(walk, narrow, narrow());
BENCHMARK_CAPTURE(walk, wide, wide());
BENCHMARK_CAPTURE(decode, narrow, narrow());
BENCHMARK_CAPTURE(decode, wide, wide());
BENCHMARK_CAPTURE(serialize, narrow_message, narrow(), with(Envelope::kMessage, Values::kNative));
BENCHMARK_CAPTURE(serialize, wide_message, wide(), with(Envelope::kMessage, Values::kNative));
BENCHMARK_CAPTURE(serialize, narrow_row, narrow(), with(Envelope::kRow, Values::kNative));
BENCHMARK_CAPTURE(serialize, narrow_debezium, narrow(), with(Envelope::kDebezium, Values::kDebezium));
BENCHMARK_CAPTURE(serialize, wide_debezium, wide(), with(Envelope::kDebezium, Values::kDebezium));

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
