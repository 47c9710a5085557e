#include "walcat/metrics/error_counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::IsEmpty;
using testing::SizeIs;

const ErrorCounters::Clock::time_point kNoon{hours(24 * 365 * 50 + 12)};

Status lost(const std::string& words) { return {StatusCode::kUnavailable, words}; }

TEST(ErrorCounters, SayNothingOfWhatDidNotHappen) { EXPECT_THAT(ErrorCounters().counts(), IsEmpty()); }

TEST(ErrorCounters, KeepKindsApartAndTheLastOfEach) {
  ErrorCounters errors;
  errors.note(lost("first"), FaultKind::kConnection, kNoon);
  errors.note(lost("second"), FaultKind::kConnection, kNoon + minutes(1));
  errors.note(lost("wrong password").with_kind(FaultKind::kAuthentication), FaultKind::kConnection, kNoon);
  const auto counts = errors.counts(kNoon + minutes(2));
  ASSERT_THAT(counts, SizeIs(2));
  EXPECT_EQ(fault_word(counts[0].kind), "connection");
  EXPECT_EQ(counts[0].total, 2U);
  EXPECT_EQ(counts[0].last_message, "second");
  EXPECT_EQ(counts[0].last_time, kNoon + minutes(1));
  EXPECT_EQ(fault_word(counts[1].kind), "authentication");
  EXPECT_EQ(counts[1].total, 1U);
}

TEST(ErrorCounters, RateIsThatOfTheLastHour) {
  ErrorCounters errors;
  for (int minute = 0; minute < 90; ++minute) {
    errors.note(lost("again"), FaultKind::kConnection, kNoon + minutes(minute));
  }
  EXPECT_EQ(errors.counts(kNoon + minutes(89))[0].last_hour, 60U);
  EXPECT_EQ(errors.counts(kNoon + minutes(119))[0].last_hour, 30U);
  const auto later = errors.counts(kNoon + hours(5));
  EXPECT_EQ(later[0].last_hour, 0U);
  EXPECT_EQ(later[0].total, 90U);
}

}  // namespace
}  // namespace walcat
