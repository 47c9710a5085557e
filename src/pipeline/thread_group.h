#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "room_thread.h"
#include "walcat/base/log.h"

namespace walcat {

/// Threads of the street that do the same.
///
/// Threads: one thread makes and joins them.
class ThreadGroup {
 public:
  /// `name`: what each is called, of at most 15 bytes; it must outlive the threads.
  explicit ThreadGroup(const char* name) : name_(name) {}
  ~ThreadGroup() { join(); }
  ThreadGroup(const ThreadGroup&) = delete;
  ThreadGroup& operator=(const ThreadGroup&) = delete;

  const char* name() const { return name_; }
  std::size_t size() const { return threads_.size(); }

  /// Makes one more, which runs `body`.
  ///
  /// Errors: those of room_thread().
  template <typename Body>
  Status add(Body body) {
    if (const Status room = make_room(); !room.is_ok()) return room;
    auto made = room_thread(name_, std::move(body));
    if (made.is_ok()) threads_.push_back(std::move(*made));
    return made.status();
  }
  /// Makes `count`, each of which runs `body_of(its number)`. Fewer do as well, with a warning, but one there must be.
  ///
  /// Errors: those of room_thread(), of the first.
  template <typename BodyOf>
  Status add_some(std::size_t count, const BodyOf& body_of) {
    for (std::size_t i = 0; i < count; ++i) {
      const Status made = add(body_of(i));
      if (made.is_ok()) continue;
      if (i == 0) return made;
      log::write(log::Level::kWarning, "", fmt::format("{}; going on with {} of {}", made.message(), i, count));
      return Status::ok();
    }
    return Status::ok();
  }
  /// Waits until all have ended.
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  // Nothing may fail once there is a thread.
  Status make_room() {
    try {
      threads_.reserve(threads_.size() + 1);
      return Status::ok();
    } catch (const std::bad_alloc& shortage) {
      return status_of(shortage, name_);
    }
  }

  const char* const name_;
  std::vector<std::thread> threads_;
};

}  // namespace walcat
