#pragma once

#include <chrono>
#include <cstdint>

namespace walcat {

/// Microseconds between 1970-01-01 and PostgreSQL's epoch, 2000-01-01, both UTC.
inline constexpr std::int64_t kPostgresEpochUnixMicros = 946'684'800'000'000;

/// Now, in microseconds since 2000-01-01 UTC, as the replication protocol writes it.
inline std::int64_t postgres_now_micros() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count() - kPostgresEpochUnixMicros;
}

/// Turns microseconds since 2000-01-01 UTC into microseconds since 1970-01-01 UTC. What lies beyond 64 bits, which no
/// clock says, stays at their end.
inline std::int64_t unix_micros(std::int64_t postgres_micros) {
  std::int64_t micros = 0;
  if (__builtin_add_overflow(postgres_micros, kPostgresEpochUnixMicros, &micros)) return INT64_MAX;
  return micros;
}

/// The same in nanoseconds; the end of 64 bits is in the year 2262.
inline std::int64_t unix_nanos(std::int64_t postgres_micros) {
  const std::int64_t micros = unix_micros(postgres_micros);
  std::int64_t nanos = 0;
  if (__builtin_mul_overflow(micros, std::int64_t{1000}, &nanos)) return micros < 0 ? INT64_MIN : INT64_MAX;
  return nanos;
}

/// Turns microseconds since 2000-01-01 UTC into milliseconds since 1970-01-01 UTC, rounding down.
inline std::int64_t unix_millis(std::int64_t postgres_micros) {
  const std::int64_t micros = unix_micros(postgres_micros);
  if (micros < INT64_MIN + 999) return INT64_MIN / 1000;
  return micros >= 0 ? micros / 1000 : (micros - 999) / 1000;
}

}  // namespace walcat
