#pragma once

#include <concurrentqueue/concurrentqueue.h>
#include <readerwriterqueue/readerwriterqueue.h>

#include <memory>
#include <new>
#include <utility>

namespace walcat {

/// A FIFO from one thread to one other, carrying owners.
///
/// Bounded by what circulates: the pool deals out a fixed number of parcels, so no queue can hold more.
/// Threads: put() at the producer end, take() at the consumer end.
template <typename T>
class SpscQueue {
 public:
  explicit SpscQueue(std::size_t capacity) : queue_(capacity) {}

  /// Errors: std::bad_alloc where it has to grow and can't; the parcel is gone then.
  void put(std::unique_ptr<T> parcel) {
    if (!queue_.enqueue(std::move(parcel))) throw std::bad_alloc();
  }
  /// Null when empty.
  std::unique_ptr<T> take() {
    std::unique_ptr<T> parcel;
    queue_.try_dequeue(parcel);
    return parcel;
  }

 private:
  moodycamel::ReaderWriterQueue<std::unique_ptr<T>> queue_;
};

/// Parcels from any thread to any other, in no order that matters.
///
/// Threads: thread-safe. Producers must be long-lived threads: each leaves a sub-queue behind.
template <typename T>
class SharedQueue {
 public:
  explicit SharedQueue(std::size_t capacity) : queue_(capacity) {}

  /// Errors: std::bad_alloc where it has to grow and can't; the parcel is gone then.
  void put(std::unique_ptr<T> parcel) {
    if (!queue_.enqueue(std::move(parcel))) throw std::bad_alloc();
  }
  /// Null when empty.
  std::unique_ptr<T> take() {
    std::unique_ptr<T> parcel;
    queue_.try_dequeue(parcel);
    return parcel;
  }
  /// About how many there are.
  std::size_t size() const { return queue_.size_approx(); }

 private:
  moodycamel::ConcurrentQueue<std::unique_ptr<T>> queue_;
};

}  // namespace walcat
