// What does each kind of pgoutput message cost to decode?
//
// Workload: batches of 256 KiB full of one message, in one long transaction. Relation, Type, Truncate and
// logical messages are rare on real streams; inserts, updates and deletes are of a table of 4 columns; `border` is
// Begin and Commit of a transaction without changes. Unit: messages a second.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "workload.h"

namespace walcat::test {
namespace {

constexpr std::uint64_t kLsn = 0x1'0000'0000;

std::unique_ptr<Batch> full_of(const std::string& message, bool in_transaction = true) {
  auto batch = std::make_unique<Batch>(kBatchBytes);
  if (in_transaction) batch->append_frame(at(0, begin(kLsn)));
  batch->append_frame(at(0, relation(narrow_table())));
  const std::string frame = message.front() == 'k' ? message : at(kLsn - 0x1000, message);
  while (batch->has_room(frame.size())) batch->append_frame(frame);
  batch->session = 1;
  return batch;
}

void decode(benchmark::State& state, const std::unique_ptr<Batch>& batch) {
  for (auto _ : state) {
    Decoder decoder;
    if (!decoder.decode(*batch).is_ok()) return state.SkipWithError("malformed");
    drop_changes(*batch);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(batch->frame_count()));
}

void message(benchmark::State& state, const std::string& message) { decode(state, full_of(message)); }

void keepalive_between(benchmark::State& state) { decode(state, full_of(keepalive(kLsn), false)); }

void border(benchmark::State& state) {
  auto batch = std::make_unique<Batch>(kBatchBytes);
  for (std::uint64_t lsn = kLsn; batch->has_room(256); lsn += 0x100) {
    batch->append_frame(at(0, begin(lsn)));
    batch->append_frame(at(0, commit(lsn, lsn + 0x30)));
  }
  batch->session = 1;
  decode(state, batch);
}

const Tuple kRow = narrow_row(1);
const Tuple kNext = narrow_row(2);
const Tuple kKey{"1000001", kNullValue, kNullValue, kNullValue};
const std::uint32_t kTable = narrow_table().oid;

BENCHMARK_CAPTURE(message, insert, insert(kTable, kRow));
BENCHMARK_CAPTURE(message, insert_of_nulls, insert(kTable, Tuple(4, kNullValue)));
BENCHMARK_CAPTURE(message, update, update(kTable, kNext));
BENCHMARK_CAPTURE(message, update_with_key, update(kTable, 'K', kKey, kNext));
BENCHMARK_CAPTURE(message, update_with_row, update(kTable, 'O', kRow, kNext));
BENCHMARK_CAPTURE(message, delete_by_key, remove(kTable, 'K', kKey));
BENCHMARK_CAPTURE(message, delete_with_row, remove(kTable, 'O', kRow));
BENCHMARK_CAPTURE(message, truncate, truncate({kTable}));
BENCHMARK_CAPTURE(message, logical_message, logical_message(true, kLsn - 0x1000, "prefix", std::string(64, 'x')));
BENCHMARK_CAPTURE(message, relation, relation(narrow_table()));
BENCHMARK_CAPTURE(message, type, type(20'000, "public", "mood"));
BENCHMARK_CAPTURE(message, origin, origin(kLsn, "elsewhere"));
BENCHMARK(border);
BENCHMARK(keepalive_between);

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
