#include "walcat/base/descriptor_limit.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>

namespace walcat {

namespace {

// A limit that cannot be read is taken for the usual one.
rlim_t limit() {
  rlimit now{};
  return ::getrlimit(RLIMIT_NOFILE, &now) == 0 ? now.rlim_cur : 1024;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit now{};
  if (::getrlimit(RLIMIT_NOFILE, &now) != 0 || now.rlim_cur == now.rlim_max) return;
  now.rlim_cur = now.rlim_max;
  static_cast<void>(::setrlimit(RLIMIT_NOFILE, &now));
}

std::string descriptor_limit_text() {
  const rlim_t now = limit();
  return now == RLIM_INFINITY ? "ulimit -n unlimited" : fmt::format("ulimit -n {}", now);
}

std::size_t spool_files_most(std::size_t databases) {
  return std::max<std::size_t>(1, limit() / 2 / std::max<std::size_t>(1, databases));
}

}  // namespace walcat
