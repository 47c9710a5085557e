// How fast are strings escaped, by length and by how much of them needs it?
//
// Workload: 64 KiB of texts of one length. `clean` has nothing to escape, `quoted` a quote every 40 bytes, `dirty` one
// every 4. The baseline is `copy`, which writes the texts as they are. Unit: bytes of text a second.

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "serializer/line_writer.h"
#include "walcat/model/byte_buffer.h"

namespace walcat::test {
namespace {

constexpr std::size_t kTextBytes = 64 << 10;

template <typename Write>
void texts(benchmark::State& state, std::size_t quote_every, Write write) {
  const auto size = static_cast<std::size_t>(state.range(0));
  ByteBuffer source(kTextBytes);
  for (std::size_t i = 0; i < kTextBytes; ++i) source.append(i % quote_every == quote_every - 1 ? "\"" : "x");
  ByteBuffer lines(2 * kTextBytes + kTextBytes / size * 3);
  for (auto _ : state) {
    LineWriter out(lines);
    for (std::size_t begin = 0; begin < kTextBytes; begin += size) {
      write(out, source.view().substr(begin, size));
      out.literal(",");
    }
    out.close();
    benchmark::DoNotOptimize(lines.data());
    lines.clear(lines.capacity());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(kTextBytes));
}

void string(LineWriter& out, std::string_view text) { out.string(text); }
void raw(LineWriter& out, std::string_view text) { out.raw(text); }

void copy(benchmark::State& state) { texts(state, kTextBytes + 1, raw); }
void clean(benchmark::State& state) { texts(state, kTextBytes + 1, string); }
void quoted(benchmark::State& state) { texts(state, 40, string); }
void dirty(benchmark::State& state) { texts(state, 4, string); }

BENCHMARK(copy)->RangeMultiplier(4)->Range(4, 4096);
BENCHMARK(clean)->RangeMultiplier(2)->Range(4, 4096);
BENCHMARK(quoted)->RangeMultiplier(4)->Range(4, 4096);
BENCHMARK(dirty)->RangeMultiplier(4)->Range(4, 4096);

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
