// What does it cost to hand a parcel from one thread to another?
//
// Workload: parcels go round between two threads, out by the queue in question and back by another of the same kind, as
// batches go round between the rooms. `single` has one parcel in flight, so each hand-over waits for the other thread;
// `batches` has 16, as on the street; `one_thread` puts and takes without a second thread, which is the queue alone.
// Whoever finds its queue empty waits on a Signal. Unit: hand-overs a second, of wall time; CPU is both threads'.

#include <benchmark/benchmark.h>

#include <memory>
#include <thread>

#include "walcat/queue/queues.h"
#include "walcat/queue/signal.h"

namespace walcat::test {
namespace {

struct Parcel {
  bool is_last = false;
};

/// A queue and what its consumer sleeps on.
template <typename Queue>
struct Belt {
  Queue queue{64};
  Signal signal;

  void put(std::unique_ptr<Parcel> parcel) {
    queue.put(std::move(parcel));
    signal.notify();
  }
  std::unique_ptr<Parcel> take() {
    for (;;) {
      const std::uint32_t ticket = signal.ticket();
      if (auto parcel = queue.take()) return parcel;
      signal.wait(ticket);
    }
  }
};

template <typename Queue>
void hand_over(benchmark::State& state) {
  Belt<Queue> out;
  Belt<Queue> back;
  std::thread other([&] {
    for (bool is_last = false; !is_last;) {
      auto parcel = out.take();
      is_last = parcel->is_last;
      back.put(std::move(parcel));
    }
  });
  const auto in_flight = state.range(0);
  for (std::int64_t i = 0; i < in_flight; ++i) back.put(std::make_unique<Parcel>());
  for (auto _ : state) out.put(back.take());
  state.SetItemsProcessed(2 * state.iterations());
  auto last = back.take();
  last->is_last = true;
  out.put(std::move(last));
  other.join();
}

template <typename Queue>
void one_thread(benchmark::State& state) {
  Belt<Queue> belt;
  auto parcel = std::make_unique<Parcel>();
  for (auto _ : state) {
    belt.put(std::move(parcel));
    parcel = belt.take();
  }
  state.SetItemsProcessed(state.iterations());
}

using Spsc = SpscQueue<Parcel>;
using Shared = SharedQueue<Parcel>;

BENCHMARK_TEMPLATE(one_thread, Spsc);
BENCHMARK_TEMPLATE(one_thread, Shared);
BENCHMARK_TEMPLATE(hand_over, Spsc)->ArgName("in_flight")->Arg(1)->Arg(16)->UseRealTime()->MeasureProcessCPUTime();
BENCHMARK_TEMPLATE(hand_over, Shared)->ArgName("in_flight")->Arg(1)->Arg(16)->UseRealTime()->MeasureProcessCPUTime();

}  // namespace
}  // namespace walcat::test

BENCHMARK_MAIN();
