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

/// Turns microseconds since 2000-01-01 UTC into milliseconds since 1970-01-01 UTC, rounding down.
inline std::int64_t unix_millis(std::int64_t postgres_micros) {
  const std::int64_t micros = postgres_micros + kPostgresEpochUnixMicros;
  return micros >= 0 ? micros / 1000 : (micros - 999) / 1000;
}

}  // namespace walcat
