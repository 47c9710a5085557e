// Debezium's dates, times, timestamps and intervals, in each of its modes.

#include <gtest/gtest.h>

#include "serializer/builtin_types.h"
#include "serializer/debezium_cells.h"
#include "serializer/temporal_text.h"

namespace walcat::test {
namespace {

using Mode = DebeziumOptions::TimePrecision;

constexpr Mode kModes[] = {Mode::kAdaptive,     Mode::kAdaptiveTimeMicroseconds,
                           Mode::kConnect,      Mode::kIsoString,
                           Mode::kMicroseconds, Mode::kNanoseconds};

DebeziumOptions mode(Mode time_precision) {
  DebeziumOptions options;
  options.time_precision_mode = time_precision;
  return options;
}

/// A text and what each mode of kModes makes of it.
struct Row {
  std::uint32_t oid;
  std::int32_t modifier;
  const char* text;
  const char* json[6];
};

constexpr std::uint32_t kDate = type_oid::kDate;
constexpr std::uint32_t kTime = type_oid::kTime;
constexpr std::uint32_t kTimestamp = type_oid::kTimestamp;

const Row kRows[] = {
    {kDate, -1, "2016-11-04", {"17109", "17109", "17109", R"("2016-11-04Z")", "17109", "17109"}},
    {kDate, -1, "1970-01-01", {"0", "0", "0", R"("1970-01-01Z")", "0", "0"}},
    {kDate, -1, "0044-03-15 BC", {"-735160", "-735160", "-735160", R"("-0043-03-15Z")", "-735160", "-735160"}},
    {kDate,
     -1,
     "294276-12-31",
     {"106762939", "106762939", "106762939", R"("+294276-12-31Z")", "106762939", "106762939"}},
    {kDate,
     -1,
     "infinity",
     {"-2147472692", "-2147472692", "-2147472692", R"("infinity")", "-2147472692", "-2147472692"}},
    {kDate,
     -1,
     "-infinity",
     {"-2147472691", "-2147472691", "-2147472691", R"("-infinity")", "-2147472691", "-2147472691"}},
    {kTime,
     3,
     "13:51:30.123",
     {"49890123", "49890123000", "49890123", R"("13:51:30.123Z")", "49890123000", "49890123000000"}},
    {kTime,
     -1,
     "13:51:30.123789",
     {"49890123789", "49890123789", "49890123", R"("13:51:30.123789Z")", "49890123789", "49890123789000"}},
    {kTime, 0, "00:00:00", {"0", "0", "0", R"("00:00:00Z")", "0", "0"}},
    {kTime,
     6,
     "24:00:00",
     {"86400000000", "86400000000", "86400000", R"("00:00:00Z")", "86400000000", "86400000000000"}},
    {kTimestamp,
     3,
     "2016-11-04 13:51:30.123",
     {"1478267490123", "1478267490123", "1478267490123", R"("2016-11-04T13:51:30.123Z")", "1478267490123000",
      "1478267490123000000"}},
    {kTimestamp,
     -1,
     "2016-11-04 13:51:30.5",
     {"1478267490500000", "1478267490500000", "1478267490500", R"("2016-11-04T13:51:30.5Z")", "1478267490500000",
      "1478267490500000000"}},
    {kTimestamp,
     -1,
     "1969-12-31 23:59:59.999999",
     {"-1", "-1", "-1", R"("1969-12-31T23:59:59.999999Z")", "-1", "-1000"}},
    {kTimestamp,
     -1,
     "0044-03-15 12:00:00 BC",
     {"-63517780800000000", "-63517780800000000", "-63517780800000", R"("-0043-03-15T12:00:00Z")", "-63517780800000000",
      R"("0044-03-15 12:00:00 BC")"}},
    {kTimestamp,
     -1,
     "4714-11-24 00:00:00 BC",
     {"-210866803200000000", "-210866803200000000", "-210866803200000", R"("-4713-11-24T00:00:00Z")",
      "-210866803200000000", R"("4714-11-24 00:00:00 BC")"}},
    {kTimestamp,
     3,
     "0001-01-01 00:00:00",
     {"-62135596800000", "-62135596800000", "-62135596800000", R"("0001-01-01T00:00:00Z")", "-62135596800000000",
      R"("0001-01-01 00:00:00")"}},
    {kTimestamp,
     -1,
     "1677-09-21 00:12:43.145225",
     {"-9223372036854775", "-9223372036854775", "-9223372036855", R"("1677-09-21T00:12:43.145225Z")",
      "-9223372036854775", "-9223372036854775000"}},
    {kTimestamp,
     -1,
     "1677-09-21 00:12:43.145224",
     {"-9223372036854776", "-9223372036854776", "-9223372036855", R"("1677-09-21T00:12:43.145224Z")",
      "-9223372036854776", R"("1677-09-21 00:12:43.145224")"}},
    {kTimestamp,
     -1,
     "9999-12-31 23:59:59.999999",
     {"253402300799999999", "253402300799999999", "253402300799999", R"("9999-12-31T23:59:59.999999Z")",
      "253402300799999999", R"("9999-12-31 23:59:59.999999")"}},
    {kTimestamp,
     -1,
     "294246-12-31 23:59:59.999999",
     {"9223371244799999999", "9223371244799999999", "9223371244799999", R"("+294246-12-31T23:59:59.999999Z")",
      "9223371244799999999", R"("294246-12-31 23:59:59.999999")"}},
    {kTimestamp,
     -1,
     "294247-01-10 04:00:54.775807",
     {"9223372036854775807", "9223372036854775807", "9223372036854775", R"("+294247-01-10T04:00:54.775807Z")",
      "9223372036854775807", R"("294247-01-10 04:00:54.775807")"}},
    {kTimestamp,
     -1,
     "294276-12-31 23:59:59.999999",
     {R"("294276-12-31 23:59:59.999999")", R"("294276-12-31 23:59:59.999999")", "9224318015999999",
      R"("+294276-12-31T23:59:59.999999Z")", R"("294276-12-31 23:59:59.999999")", R"("294276-12-31 23:59:59.999999")"}},
    {kTimestamp,
     -1,
     "2262-04-11 23:47:16.854775",
     {"9223372036854775", "9223372036854775", "9223372036854", R"("2262-04-11T23:47:16.854775Z")", "9223372036854775",
      "9223372036854775000"}},
    {kTimestamp,
     -1,
     "2262-04-11 23:47:16.854776",
     {"9223372036854776", "9223372036854776", "9223372036854", R"("2262-04-11T23:47:16.854776Z")", "9223372036854776",
      R"("2262-04-11 23:47:16.854776")"}},
    {kTimestamp,
     -1,
     "infinity",
     {"9223372036825200000", "9223372036825200000", "9223372036825200", R"("infinity")", "9223372036825200000",
      "9223372036854775807"}},
    {kTimestamp,
     3,
     "-infinity",
     {"-9223372036832400", "-9223372036832400", "-9223372036832400", R"("-infinity")", "-9223372036832400000",
      "-9223372036854775808"}},
};

TEST(DebeziumTemporal, FollowsTheMode) {
  for (const Row& row : kRows) {
    for (std::size_t i = 0; i < std::size(kModes); ++i) {
      EXPECT_EQ(value(column_of(row.oid, row.modifier), row.text, mode(kModes[i])), row.json[i])
          << row.text << " of type " << row.oid << ", mode " << i;
    }
  }
}

TEST(DebeziumTemporal, ShiftsTimesWithZoneToUtcInEveryMode) {
  for (const Mode each : kModes) {
    const auto time = [&](std::string_view text) { return value(column_of(type_oid::kTimeTz), text, mode(each)); };
    EXPECT_EQ(time("13:51:30.123789+02"), R"("11:51:30.123789Z")");
    EXPECT_EQ(time("13:51:30.12+00"), R"("13:51:30.12Z")");
    EXPECT_EQ(time("01:00:00+05:30"), R"("19:30:00Z")");
    EXPECT_EQ(time("23:00:00-03:15:10"), R"("02:15:10Z")");
    EXPECT_EQ(time("24:00:00+00"), R"("00:00:00Z")");
  }
}

TEST(DebeziumTemporal, PrintsTimestampsWithZoneWithTheColumnsDigits) {
  const auto timestamp = [](std::string_view text, int digits) {
    return value(column_of(type_oid::kTimestampTz, digits), text, mode(Mode::kNanoseconds));
  };
  EXPECT_EQ(timestamp("2016-11-04 11:51:30.123+00", -1), R"("2016-11-04T11:51:30.123000Z")");
  EXPECT_EQ(timestamp("2016-11-04 11:51:30+00", -1), R"("2016-11-04T11:51:30.000000Z")");
  EXPECT_EQ(timestamp("2016-11-04 11:51:30+00", 0), R"("2016-11-04T11:51:30Z")");
  EXPECT_EQ(timestamp("2016-11-04 11:51:30.1+00", 3), R"("2016-11-04T11:51:30.100Z")");
  EXPECT_EQ(timestamp("2016-11-04 01:51:30+02:30", 0), R"("2016-11-03T23:21:30Z")");
  EXPECT_EQ(timestamp("0044-03-15 12:00:00+00 BC", 0), R"("-0043-03-15T12:00:00Z")");
  EXPECT_EQ(timestamp("294276-12-31 23:59:59.999999+00", -1), R"("+294276-12-31T23:59:59.999999Z")");
  EXPECT_EQ(timestamp("infinity", -1), R"("infinity")");
  EXPECT_EQ(timestamp("-infinity", 3), R"("-infinity")");
}

TEST(DebeziumTemporal, CountsIntervalsInMicroseconds) {
  const auto interval = [](std::string_view text) { return value(type_oid::kInterval, text); };
  EXPECT_EQ(interval("1 mon"), "2629800000000");
  EXPECT_EQ(interval("1 year 2 mons 3 days 04:05:06.78"), "37091106780000");
  EXPECT_EQ(interval("-1 days +02:03:04"), "-79016000000");
  EXPECT_EQ(interval("1 day -00:00:00.000001"), "86399999999");
  EXPECT_EQ(interval("00:00:00"), "0");
  EXPECT_EQ(interval("100:00:00"), "360000000000");
  EXPECT_EQ(interval("-1 years -2 mons"), "-36817200000000");
  EXPECT_EQ(interval("2562047788:00:54.775807"), "9223372036854775807");
  EXPECT_EQ(interval("178000000 years"), R"("178000000 years")");
  EXPECT_EQ(interval("-178000000 years"), R"("-178000000 years")");
  EXPECT_EQ(interval("infinity"), "9223372036854775807");
  EXPECT_EQ(interval("-infinity"), "-9223372036854775808");
}

// Whatever the mode, a value is never null and never another value. What is an infinity has its own word or number.
TEST(DebeziumTemporal, CountsTheValuesThatAFormHasNoPlaceFor) {
  const auto counted = [](std::uint32_t oid, std::string_view text, Mode each) {
    return texts_instead(column_of(oid), text, mode(each));
  };
  EXPECT_EQ(counted(kTimestamp, "9999-12-31 00:00:00", Mode::kNanoseconds), 1U);
  EXPECT_EQ(counted(kTimestamp, "9999-12-31 00:00:00", Mode::kMicroseconds), 0U);
  EXPECT_EQ(counted(kTimestamp, "294276-12-31 23:59:59", Mode::kMicroseconds), 1U);
  EXPECT_EQ(counted(kTimestamp, "294276-12-31 23:59:59", Mode::kConnect), 0U);
  EXPECT_EQ(counted(type_oid::kInterval, "178000000 years", Mode::kAdaptive), 1U);
  EXPECT_EQ(counted(1115, R"({"0001-01-01 00:00:00",NULL,"2020-01-01 00:00:00","9999-12-31 00:00:00",infinity})",
                    Mode::kNanoseconds),
            2U);
  for (const std::uint32_t oid : {kDate, kTimestamp, type_oid::kTimestampTz, type_oid::kInterval}) {
    for (const Mode each : kModes) EXPECT_EQ(counted(oid, "-infinity", each), 0U) << oid;
  }
  EXPECT_EQ(value(1115, "{infinity,NULL,-infinity}", mode(Mode::kIsoString)), R"(["infinity",null,"-infinity"])");
}

TEST(DebeziumTemporal, PrintsAllPartsOfAnIntervalAsIso) {
  DebeziumOptions options;
  options.interval_handling_mode = DebeziumOptions::IntervalHandling::kString;
  const auto interval = [&](std::string_view text) { return value(type_oid::kInterval, text, options); };
  EXPECT_EQ(interval("1 year 2 mons 3 days 04:05:06.78"), R"("P1Y2M3DT4H5M6.78S")");
  EXPECT_EQ(interval("-1 mons -2 days -03:04:05.5"), R"("P0Y-1M-2DT-3H-4M-5.5S")");
  EXPECT_EQ(interval("100:00:00"), R"("P0Y0M0DT100H0M0S")");
  EXPECT_EQ(interval("00:00:00"), R"("P0Y0M0DT0H0M0S")");
  EXPECT_EQ(interval("-00:00:00.5"), R"("P0Y0M0DT0H0M-0.5S")");
  EXPECT_EQ(interval("-1 days +02:03:04"), R"("P0Y0M-1DT2H3M4S")");
}

TEST(DebeziumTemporal, PrintsWhatIsNoSuchTextAsAString) {
  for (const std::uint32_t oid : {kDate, kTime, kTimestamp, type_oid::kTimeTz, type_oid::kTimestampTz}) {
    for (const char* text : {"", "x", "2016", "2016-13-01", "2016-02-30", "2016-11-04T10:00:00", "25:00:00", "10:60:00",
                             "24:00:01", "10:00:00.", "10:00:00.1234567", "2016-11-04 10:00:00 AD", "2016-11-04 "}) {
      EXPECT_EQ(value(oid, text), '"' + std::string(text) + '"') << oid;
    }
  }
  for (const char* text :
       {"", "1", "1 eon", "1 day 2", "1 day ", "04:05", "99999999999:00:00", "1 mon 1:00:00 1 day"}) {
    EXPECT_EQ(value(type_oid::kInterval, text), '"' + std::string(text) + '"');
  }
}

TEST(DebeziumTemporal, CountsDaysThereAndBack) {
  for (std::int64_t days = -2'500'000; days < 110'000'000; days += 997) EXPECT_EQ(days_of(date_of(days)), days);
  const CivilDate leap = date_of(days_of({2000, 2, 29}));
  EXPECT_EQ(leap.year * 10'000 + leap.month * 100 + leap.day, 20'000'229);
}

}  // namespace
}  // namespace walcat::test
