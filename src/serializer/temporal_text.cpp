#include "temporal_text.h"

#include "text_reader.h"

namespace walcat {

namespace {

constexpr std::int64_t kDaysPerEra = 146'097;  // 400 years
constexpr std::int64_t kEpochDay = 719'468;    // 1970-01-01 counted from 0000-03-01

// The year's digits: four at least, seven at most (5874897).
constexpr int kYearDigitsMost = 7;
// An interval's hours: 2562047788 at most.
constexpr int kHourDigitsMost = 10;

int days_in_month(std::int64_t year, std::int64_t month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool read_date(TextReader& in, CivilDate& date) {
  std::int64_t month = 0;
  std::int64_t day = 0;
  if (!in.digits(4, kYearDigitsMost, date.year) || !in.take('-')) return false;
  if (!in.digits(2, 2, month) || !in.take('-') || !in.digits(2, 2, day)) return false;
  if (month < 1 || month > 12 || day < 1) return false;
  date.month = static_cast<int>(month);
  date.day = static_cast<int>(day);
  return true;
}

// The era stands at the end of the whole text, and tells the year.
bool read_era(TextReader& in, CivilDate& date) {
  if (in.take(" BC")) date.year = 1 - date.year;
  return in.at_end() && date.day <= days_in_month(date.year, date.month);
}

// `.`, and one to six digits.
bool read_fraction(TextReader& in, std::int64_t& micros) {
  micros = 0;
  if (!in.take('.')) return true;
  const std::size_t before = in.rest().size();
  if (!in.digits(1, 6, micros)) return false;
  for (std::size_t count = before - in.rest().size(); count < 6; ++count) micros *= 10;
  return true;
}

bool read_clock(TextReader& in, int hour_digits_most, std::int64_t& micros) {
  std::int64_t hours = 0;
  std::int64_t minutes = 0;
  std::int64_t seconds = 0;
  if (!in.digits(2, hour_digits_most, hours) || !in.take(':')) return false;
  if (!in.digits(2, 2, minutes) || !in.take(':') || !in.digits(2, 2, seconds)) return false;
  if (minutes > 59 || seconds > 59 || !read_fraction(in, micros)) return false;
  std::int64_t whole = 0;
  if (__builtin_mul_overflow(hours * 3600 + minutes * 60 + seconds, kMicrosPerSecond, &whole)) return false;
  return !__builtin_add_overflow(whole, micros, &micros);
}

bool read_time_of_day(TextReader& in, std::int64_t& micros) {
  return read_clock(in, 2, micros) && micros <= kMicrosPerDay;
}

// `+02`, `-03:30`, `+00:19:32`; none is UTC.
bool read_offset(TextReader& in, std::int64_t& seconds) {
  seconds = 0;
  if (in.peek() != '+' && in.peek() != '-') return true;
  const int sign = in.sign();
  std::int64_t part = 0;
  if (!in.digits(2, 2, part)) return false;
  seconds = part * 3600;
  for (const int unit : {60, 1}) {
    if (!in.take(':')) break;
    if (!in.digits(2, 2, part)) return false;
    seconds += part * unit;
  }
  seconds *= sign;
  return true;
}

std::int64_t floor_divide(std::int64_t value, std::int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

bool read_unit(TextReader& in, std::int64_t value, IntervalParts& parts) {
  if (in.take("year")) {
    parts.years = value;
  } else if (in.take("mon")) {
    parts.months = value;
  } else if (in.take("day")) {
    parts.days = value;
  } else {
    return false;
  }
  in.take('s');
  return true;
}

// `1 year`, `-2 mons`, or the time of day, which comes last.
bool read_interval_part(TextReader& in, IntervalParts& parts) {
  TextReader ahead = in;
  const int sign = ahead.sign();
  std::int64_t value = 0;
  if (!ahead.digits(1, kHourDigitsMost, value)) return false;
  if (ahead.take(' ')) {
    in = ahead;
    return read_unit(in, sign * value, parts);
  }
  in.sign();
  if (!read_clock(in, kHourDigitsMost, parts.micros)) return false;
  parts.micros *= sign;
  return in.at_end();
}

}  // namespace

// Years begin in March here, so that the leap day comes last.
std::int64_t days_of(const CivilDate& date) {
  const std::int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  const std::int64_t era = floor_divide(year, 400);
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t month = (date.month + 9) % 12;
  const std::int64_t day_of_year = (153 * month + 2) / 5 + date.day - 1;
  return era * kDaysPerEra + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - kEpochDay;
}

CivilDate date_of(std::int64_t days) {
  const std::int64_t shifted = days + kEpochDay;
  const std::int64_t era = floor_divide(shifted, kDaysPerEra);
  const std::int64_t day_of_era = shifted - era * kDaysPerEra;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / (kDaysPerEra - 1)) / 365;
  const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t month = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = static_cast<int>(day_of_year - (153 * month + 2) / 5 + 1);
  date.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  date.year = era * 400 + year_of_era + (date.month <= 2 ? 1 : 0);
  return date;
}

int infinity_sign(std::string_view text) {
  if (text == "infinity") return 1;
  return text == "-infinity" ? -1 : 0;
}

std::optional<std::int64_t> parse_date(std::string_view text) {
  TextReader in(text);
  CivilDate date;
  if (!read_date(in, date) || !read_era(in, date)) return std::nullopt;
  return days_of(date);
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  TextReader in(text);
  std::int64_t micros = 0;
  if (!read_time_of_day(in, micros) || !in.at_end()) return std::nullopt;
  return micros;
}

std::optional<std::int64_t> parse_time_with_zone(std::string_view text) {
  TextReader in(text);
  std::int64_t micros = 0;
  std::int64_t offset = 0;
  if (!read_time_of_day(in, micros) || !read_offset(in, offset) || !in.at_end()) return std::nullopt;
  const std::int64_t at_utc = micros - offset * kMicrosPerSecond;
  return at_utc - floor_divide(at_utc, kMicrosPerDay) * kMicrosPerDay;
}

std::optional<Moment> parse_timestamp(std::string_view text) {
  TextReader in(text);
  CivilDate date;
  std::int64_t micros = 0;
  std::int64_t offset = 0;
  if (!read_date(in, date) || !in.take(' ') || !read_time_of_day(in, micros)) return std::nullopt;
  if (!read_offset(in, offset) || !read_era(in, date)) return std::nullopt;
  const std::int64_t at_utc = micros - offset * kMicrosPerSecond;
  const std::int64_t carried = floor_divide(at_utc, kMicrosPerDay);
  return Moment{days_of(date) + carried, at_utc - carried * kMicrosPerDay};
}

std::optional<IntervalParts> parse_interval(std::string_view text) {
  TextReader in(text);
  IntervalParts parts;
  do {
    if (!read_interval_part(in, parts)) return std::nullopt;
  } while (in.take(' '));
  if (!in.at_end()) return std::nullopt;
  return parts;
}

}  // namespace walcat
