#include "temporal_values.h"

#include <cstdlib>
#include <limits>

#include "short_text.h"
#include "temporal_text.h"

namespace walcat {

namespace {

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

// What Debezium's stream has for the infinities; a timestamp's in microseconds since 1970-01-01.
constexpr std::int64_t kInfiniteDate = -2'147'472'692;
constexpr std::int64_t kMinusInfiniteDate = -2'147'472'691;
constexpr std::int64_t kInfiniteMicros = 9'223'372'036'825'200'000;
constexpr std::int64_t kMinusInfiniteMicros = -9'223'372'036'832'400'000;

constexpr std::int64_t kNanosPerMicro = 1000;
constexpr std::int64_t kMicrosPerMonth = 2'629'800'000'000;  // 30.4375 days

constexpr Moment infinite_moment(int sign) {
  const std::int64_t micros = sign > 0 ? kInfiniteMicros : kMinusInfiniteMicros;
  const std::int64_t of_day = micros % kMicrosPerDay;
  if (of_day < 0) return {micros / kMicrosPerDay - 1, of_day + kMicrosPerDay};
  return {micros / kMicrosPerDay, of_day};
}

/// A sum of products of 64 bits, and whether they held it.
class CheckedSum {
 public:
  CheckedSum& add(std::int64_t value, std::int64_t unit) {
    std::int64_t product = 0;
    overflowed_ |= __builtin_mul_overflow(value, unit, &product);
    overflowed_ |= __builtin_add_overflow(sum_, product, &sum_);
    return *this;
  }
  bool write(LineWriter& out) const {
    if (!overflowed_) out.number(sum_);
    return !overflowed_;
  }

 private:
  std::int64_t sum_ = 0;
  bool overflowed_ = false;
};

// The first day of the range may begin before it, so the day is counted from its end. `unit`: units in a microsecond.
bool write_count(LineWriter& out, const Moment& moment, std::int64_t unit) {
  const bool is_before = moment.days < 0;
  return CheckedSum()
      .add(moment.days + (is_before ? 1 : 0), kMicrosPerDay * unit)
      .add(moment.micros - (is_before ? kMicrosPerDay : 0), unit)
      .write(out);
}

void add_date(ShortText& to, std::int64_t days) {
  const CivilDate date = date_of(days);
  if (date.year < 0) to.add('-');
  if (date.year > 9999) to.add('+');
  const auto year = static_cast<std::uint64_t>(std::abs(date.year));
  if (year > 9999) {
    to.number(year);
  } else {
    to.two_digits(year / 100).two_digits(year % 100);
  }
  to.add('-').two_digits(static_cast<std::uint64_t>(date.month));
  to.add('-').two_digits(static_cast<std::uint64_t>(date.day));
}

void add_clock(ShortText& to, std::int64_t micros) {
  const auto seconds = static_cast<std::uint64_t>(micros / kMicrosPerSecond);
  to.two_digits(seconds / 3600).add(':').two_digits(seconds / 60 % 60).add(':').two_digits(seconds % 60);
}

void add_time(ShortText& to, std::int64_t micros) {
  add_clock(to, micros % kMicrosPerDay);
  to.trimmed_fraction(micros % kMicrosPerSecond);
}

void write_iso_time(LineWriter& out, std::int64_t micros) {
  ShortText json;
  json.add('"');
  add_time(json, micros);
  out.raw(json.add("Z\"").view());
}

void write_iso_moment(LineWriter& out, const Moment& moment) {
  ShortText json;
  add_date(json.add('"'), moment.days);
  add_time(json.add('T'), moment.micros);
  out.raw(json.add("Z\"").view());
}

bool write_moment(LineWriter& out, const Moment& moment, TemporalForm form) {
  switch (form) {
    case TemporalForm::kMillis: out.number(moment.unix_millis()); return true;
    case TemporalForm::kMicros: return write_count(out, moment, 1);
    case TemporalForm::kNanos: return write_count(out, moment, kNanosPerMicro);
    case TemporalForm::kIso: write_iso_moment(out, moment); return true;
  }
  return false;
}

bool write_infinite_timestamp(LineWriter& out, int sign, TemporalForm form) {
  if (form == TemporalForm::kIso) return false;
  if (form != TemporalForm::kNanos) return write_moment(out, infinite_moment(sign), form);
  out.number(sign > 0 ? kMost : kLeast);
  return true;
}

}  // namespace

bool write_date(LineWriter& out, std::string_view text, TemporalForm form) {
  const int sign = infinity_sign(text);
  if (sign != 0) {
    if (form == TemporalForm::kIso) return false;
    out.number(sign > 0 ? kInfiniteDate : kMinusInfiniteDate);
    return true;
  }
  const auto days = parse_date(text);
  if (!days) return false;
  if (form == TemporalForm::kIso) {
    ShortText json;
    add_date(json.add('"'), *days);
    out.raw(json.add("Z\"").view());
  } else {
    out.number(*days);
  }
  return true;
}

bool write_time(LineWriter& out, std::string_view text, TemporalForm form) {
  const auto micros = parse_time(text);
  if (!micros) return false;
  switch (form) {
    case TemporalForm::kMillis: out.number(*micros / 1000); break;
    case TemporalForm::kMicros: out.number(*micros); break;
    case TemporalForm::kNanos: out.number(*micros * 1000); break;
    case TemporalForm::kIso: write_iso_time(out, *micros); break;
  }
  return true;
}

bool write_time_with_zone(LineWriter& out, std::string_view text) {
  const auto micros = parse_time_with_zone(text);
  if (!micros) return false;
  write_iso_time(out, *micros);
  return true;
}

bool write_timestamp(LineWriter& out, std::string_view text, TemporalForm form) {
  const auto moment = parse_timestamp(text);
  if (moment) return write_moment(out, *moment, form);
  const int sign = infinity_sign(text);
  return sign != 0 && write_infinite_timestamp(out, sign, form);
}

bool write_timestamp_with_zone(LineWriter& out, std::string_view text, int digits) {
  const auto moment = parse_timestamp(text);
  if (!moment) return false;
  ShortText json;
  add_date(json.add('"'), moment->days);
  add_clock(json.add('T'), moment->micros);
  if (digits > 0) {
    std::int64_t fraction = moment->micros % kMicrosPerSecond;
    for (int cut = digits; cut < 6; ++cut) fraction /= 10;
    json.add('.').number(static_cast<std::uint64_t>(fraction), digits);
  }
  out.raw(json.add("Z\"").view());
  return true;
}

bool write_interval_micros(LineWriter& out, std::string_view text) {
  const auto parts = parse_interval(text);
  if (parts) {
    const std::int64_t months = parts->years * 12 + parts->months;
    return CheckedSum().add(parts->micros, 1).add(parts->days, kMicrosPerDay).add(months, kMicrosPerMonth).write(out);
  }
  const int sign = infinity_sign(text);
  if (sign != 0) out.number(sign > 0 ? kMost : kLeast);
  return sign != 0;
}

bool write_interval_iso(LineWriter& out, std::string_view text) {
  const auto parts = parse_interval(text);
  if (!parts) return false;
  const std::int64_t seconds = parts->micros / kMicrosPerSecond;
  ShortText json;
  json.add("\"P").number(parts->years).add('Y').number(parts->months).add('M').number(parts->days);
  json.add("DT").number(seconds / 3600).add('H').number(seconds / 60 % 60).add('M');
  if (parts->micros < 0 && seconds % 60 == 0 && parts->micros % kMicrosPerSecond != 0) json.add('-');
  json.number(seconds % 60).trimmed_fraction(std::abs(parts->micros % kMicrosPerSecond));
  out.raw(json.add("S\"").view());
  return true;
}

}  // namespace walcat
