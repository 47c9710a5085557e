#pragma once

#include <pthread.h>

#include <exception>
#include <new>
#include <system_error>
#include <thread>
#include <utility>

#include "walcat/base/shortage.h"
#include "walcat/base/status.h"

namespace walcat {

/// EX_SOFTWARE.
inline constexpr int kInternalErrorStatus = 70;
/// EX_OSERR.
inline constexpr int kShortageStatus = 71;

/// Says why the thread `name` cannot go on, and ends the process with one of these statuses.
[[noreturn]] void leave_for(const char* name, const std::exception& error) noexcept;

/// Does work of the street. What escapes it is our own bug, or a shortage where no database can be left out: the
/// positions it guards can no longer be trusted, so nothing may be stored or confirmed any more.
template <typename Body>
void guarded(const char* name, const Body& body) {
  try {
    body();
  } catch (const std::exception& error) {
    leave_for(name, error);
  }
}

/// A thread of the street, called `name`.
///
/// Errors: kUnavailable, with the limits in force, if the system refuses it; kRefused if there is no memory for it.
template <typename Body>
Result<std::thread> room_thread(const char* name, Body body) {
  try {
    return std::thread([name, body = std::move(body)] {
      ::pthread_setname_np(::pthread_self(), name);
      guarded(name, body);
    });
  } catch (const std::system_error& refusal) {
    return no_thread(name, refusal);
  } catch (const std::bad_alloc& shortage) {
    return status_of(shortage, name);
  }
}

}  // namespace walcat
