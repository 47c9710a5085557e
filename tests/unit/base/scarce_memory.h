#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <stdexcept>

// GCC says it by macros, clang by features.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WALCAT_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WALCAT_IS_SANITIZED 1
#endif
#ifndef WALCAT_IS_SANITIZED
#define WALCAT_IS_SANITIZED 0
#endif

namespace walcat {

/// While it lives, the process can map hardly more memory than it has. Sanitizers end a process that is refused any.
class ScarceMemory {
 public:
#if WALCAT_IS_SANITIZED
  static constexpr bool kIsPossible = false;
#else
  static constexpr bool kIsPossible = true;
#endif

  /// `left`: what can be mapped still, in bytes; negative: only once so much has been given back.
  explicit ScarceMemory(std::int64_t left) {
    std::size_t pages = 0;
    if (!(std::ifstream("/proc/self/statm") >> pages)) throw std::runtime_error("no /proc/self/statm");
    ::getrlimit(RLIMIT_AS, &before_);
    rlimit scarce = before_;
    scarce.rlim_cur = static_cast<rlim_t>(static_cast<std::int64_t>(pages) * ::sysconf(_SC_PAGESIZE) + left);
    ::setrlimit(RLIMIT_AS, &scarce);
  }
  ~ScarceMemory() { ::setrlimit(RLIMIT_AS, &before_); }
  ScarceMemory(const ScarceMemory&) = delete;
  ScarceMemory& operator=(const ScarceMemory&) = delete;

 private:
  rlimit before_{};
};

}  // namespace walcat
