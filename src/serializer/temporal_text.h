#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace walcat {

inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kSecondsPerDay = 86'400;
inline constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;

/// A day of the proleptic Gregorian calendar; year 0 is 1 BC.
struct CivilDate {
  std::int64_t year = 0;
  int month = 1;
  int day = 1;
};

/// A point in time, UTC: days since 1970-01-01, and microseconds of that day, never negative.
struct Moment {
  std::int64_t days = 0;
  std::int64_t micros = 0;

  /// Since 1970-01-01 UTC, rounded down. Years reach from 4714 BC to 294276, which fits.
  std::int64_t unix_millis() const { return days * (kSecondsPerDay * 1000) + micros / 1000; }
};

/// An interval's parts, each with its own sign.
struct IntervalParts {
  std::int64_t years = 0;
  std::int64_t months = 0;
  std::int64_t days = 0;
  std::int64_t micros = 0;
};

/// Days since 1970-01-01.
std::int64_t days_of(const CivilDate& date);
CivilDate date_of(std::int64_t days);

/// 1 for `infinity`, -1 for `-infinity`, else 0.
int infinity_sign(std::string_view text);

// The texts are those of DateStyle ISO and IntervalStyle postgres. Nothing if a text is not of that form.

/// `2016-11-04`, `0044-03-15 BC`: days since 1970-01-01.
std::optional<std::int64_t> parse_date(std::string_view text);
/// `13:51:30.123`: microseconds since midnight; `24:00:00` is those of a whole day.
std::optional<std::int64_t> parse_time(std::string_view text);
/// `13:51:30.123+02`, as the time of day at UTC.
std::optional<std::int64_t> parse_time_with_zone(std::string_view text);
/// `2016-11-04 13:51:30.123`, with an offset from UTC or without, with ` BC` or without.
std::optional<Moment> parse_timestamp(std::string_view text);
/// `1 year 2 mons -3 days +04:05:06.78`
std::optional<IntervalParts> parse_interval(std::string_view text);

}  // namespace walcat
