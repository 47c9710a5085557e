// Queues carry owners, and no wake-up is missed. A missed one hangs the case until the test's time is over.

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>
#include <vector>

#include "walcat/queue/queues.h"
#include "walcat/queue/signal.h"
#include "walcat/queue/stop_request.h"
#include "walcat/queue/wake_fd.h"

namespace walcat::test {
namespace {

struct Parcel {
  explicit Parcel(int value, std::atomic<int>* living = nullptr) : number(value), alive(living) {
    if (alive != nullptr) ++*alive;
  }
  ~Parcel() {
    if (alive != nullptr) --*alive;
  }
  Parcel(const Parcel&) = delete;
  Parcel& operator=(const Parcel&) = delete;

  int number;
  std::atomic<int>* alive;
};

template <typename Queue>
std::unique_ptr<Parcel> wait_for(Queue& queue, Signal& signal) {
  for (;;) {
    const auto ticket = signal.ticket();
    if (auto parcel = queue.take()) return parcel;
    signal.wait(ticket);
  }
}

TEST(SpscQueue, KeepsOrderAndOwnership) {
  std::atomic<int> alive = 0;
  {
    SpscQueue<Parcel> queue(2);
    EXPECT_EQ(queue.take(), nullptr);
    for (int i = 0; i < 100; ++i) queue.put(std::make_unique<Parcel>(i, &alive));
    for (int i = 0; i < 50; ++i) EXPECT_EQ(queue.take()->number, i);
    EXPECT_EQ(alive, 50);
  }
  EXPECT_EQ(alive, 0) << "a queue takes its parcels with it";
}

TEST(SharedQueue, KeepsOwnership) {
  std::atomic<int> alive = 0;
  {
    SharedQueue<Parcel> queue(2);
    EXPECT_EQ(queue.take(), nullptr);
    for (int i = 0; i < 100; ++i) queue.put(std::make_unique<Parcel>(i, &alive));
    for (int i = 0; i < 50; ++i) EXPECT_NE(queue.take(), nullptr);
    EXPECT_EQ(alive, 50);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Signal, MissesNoWakeUpBetweenTwoThreads) {
  constexpr int kRounds = 100'000;
  SpscQueue<Parcel> there(1);
  SpscQueue<Parcel> back(1);
  Signal there_signal;
  Signal back_signal;
  std::thread echo([&] {
    for (int i = 0; i < kRounds; ++i) {
      back.put(wait_for(there, there_signal));
      back_signal.notify();
    }
  });
  auto parcel = std::make_unique<Parcel>(0);
  for (int i = 0; i < kRounds; ++i) {
    ++parcel->number;
    there.put(std::move(parcel));
    there_signal.notify();
    parcel = wait_for(back, back_signal);
  }
  echo.join();
  EXPECT_EQ(parcel->number, kRounds);
}

TEST(Signal, WakesEveryOneOfManyConsumers) {
  constexpr int kParcels = 20'000;
  constexpr int kConsumers = 4;
  SharedQueue<Parcel> queue(64);
  Signal signal;
  std::atomic<bool> over = false;
  std::atomic<long> sum = 0;
  std::vector<std::thread> consumers;
  for (int i = 0; i < kConsumers; ++i) {
    consumers.emplace_back([&] {
      for (;;) {
        const auto ticket = signal.ticket();
        const bool last = over.load(std::memory_order_acquire);
        if (const auto parcel = queue.take()) {
          sum += parcel->number;
          continue;
        }
        if (last) return;
        signal.wait(ticket);
      }
    });
  }
  for (int i = 1; i <= kParcels; ++i) {
    queue.put(std::make_unique<Parcel>(i));
    signal.notify();
  }
  over.store(true, std::memory_order_release);
  signal.notify();
  for (auto& consumer : consumers) consumer.join();
  EXPECT_EQ(sum, static_cast<long>(kParcels) * (kParcels + 1) / 2);
}

TEST(Signal, DoesNotSleepOnAnOldTicket) {
  Signal signal;
  const auto ticket = signal.ticket();
  signal.notify();
  signal.wait(ticket);
  EXPECT_NE(signal.ticket(), ticket);
}

bool readable(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

TEST(WakeFd, IsReadableFromNotifyUntilDrained) {
  const WakeFd wake;
  EXPECT_FALSE(readable(wake.fd()));
  wake.drain();
  wake.notify();
  wake.notify();
  EXPECT_TRUE(readable(wake.fd()));
  EXPECT_TRUE(readable(wake.fd()));
  wake.drain();
  EXPECT_FALSE(readable(wake.fd()));
}

TEST(StopRequest, StaysRequestedAndWakes) {
  StopRequest stop;
  EXPECT_FALSE(stop.requested());
  EXPECT_FALSE(readable(stop.wake().fd()));
  stop.request();
  EXPECT_TRUE(readable(stop.wake().fd()));
  stop.wake().drain();
  EXPECT_TRUE(stop.requested());
}

}  // namespace
}  // namespace walcat::test
