#pragma once

#include <cstdint>
#include <string_view>

#include "line_writer.h"

namespace walcat {

/// What a date, a time or a timestamp is printed as.
enum class TemporalForm : std::uint8_t { kMillis, kMicros, kNanos, kIso };

// Each writes the JSON of PostgreSQL's text of its type; false, and nothing written, if it is no such text, or if the
// form has no place for the value.

/// Days since 1970-01-01, or `"2016-11-04Z"`; infinities as Debezium's stream has them, in ISO form as PostgreSQL does.
bool write_date(LineWriter& out, std::string_view text, TemporalForm form);
/// Units since midnight, or `"13:51:30.123Z"`; the end of the day in ISO form is `"00:00:00Z"`.
bool write_time(LineWriter& out, std::string_view text, TemporalForm form);
/// `"11:51:30.123Z"`: the time at UTC.
bool write_time_with_zone(LineWriter& out, std::string_view text);
/// Units since 1970-01-01, or `"2016-11-04T13:51:30.123Z"`; infinities as Debezium's stream has them, in ISO form as
/// PostgreSQL does. 64 bits have no place for microseconds from 294247-01-10 on, nor for nanoseconds before 1677 and
/// after 2262.
bool write_timestamp(LineWriter& out, std::string_view text, TemporalForm form);
/// `"2016-11-04T11:51:30.123000Z"`, with `digits` of the fraction, 0 to 6; infinities as PostgreSQL prints them.
bool write_timestamp_with_zone(LineWriter& out, std::string_view text, int digits);
/// Microseconds, a month being 30.4375 days; infinities are the ends of what 64 bits hold.
bool write_interval_micros(LineWriter& out, std::string_view text);
/// `"P1Y2M3DT4H5M6.78S"`: all parts, each with its sign.
bool write_interval_iso(LineWriter& out, std::string_view text);

}  // namespace walcat
