#pragma once

#include <fmt/format.h>
#include <pthread.h>
#include <unistd.h>

#include <exception>
#include <thread>
#include <utility>

#include "walcat/base/log.h"

namespace walcat {

/// EX_SOFTWARE.
inline constexpr int kInternalErrorStatus = 70;

/// Does work of the street. What escapes it is our own bug: the positions it guards can no longer be trusted, so
/// nothing may be stored or confirmed any more.
template <typename Body>
void guarded(const char* name, const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    log::write(log::Level::kError, "", fmt::format("internal error in the {} thread: {}", name, error.what()));
    ::_exit(kInternalErrorStatus);
  }
}

/// A thread of the street, called `name`.
template <typename Body>
std::thread room_thread(const char* name, Body body) {
  return std::thread([name, body = std::move(body)] {
    ::pthread_setname_np(::pthread_self(), name);
    guarded(name, body);
  });
}

}  // namespace walcat
