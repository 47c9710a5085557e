#include "walcat/retry/backoff.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

using std::chrono::milliseconds;

// Whether a pause fits the step it was dealt from: jitter takes up to half of it.
testing::AssertionResult fits(milliseconds pause, milliseconds step) {
  if (pause >= step / 2 && pause <= step) return testing::AssertionSuccess();
  return testing::AssertionFailure() << pause.count() << " ms for a step of " << step.count() << " ms";
}

constexpr BackoffOptions kOptions{5, milliseconds(1'000), milliseconds(6'000), 2.0};

TEST(Backoff, GrowsToTheLongestPause) {
  Backoff backoff(kOptions, 1);
  for (const int step : {1'000, 2'000, 4'000, 6'000, 6'000}) EXPECT_TRUE(fits(backoff.next(), milliseconds(step)));
}

TEST(Backoff, BeginsAgainAfterAUsedUpSeries) {
  BackoffOptions options = kOptions;
  options.max_retries = 2;
  Backoff backoff(options, 1);
  for (const int step : {1'000, 2'000, 6'000, 1'000, 2'000, 6'000}) {
    EXPECT_TRUE(fits(backoff.next(), milliseconds(step)));
  }
}

TEST(Backoff, StaysLongestWithoutSeries) {
  BackoffOptions options = kOptions;
  options.max_retries = 0;
  Backoff backoff(options, 1);
  for (int i = 0; i < 100; ++i) backoff.next();
  EXPECT_TRUE(fits(backoff.next(), options.max_backoff));
}

TEST(Backoff, StartsFromTheFirstPauseAfterASuccess) {
  Backoff backoff(kOptions, 1);
  backoff.next();
  backoff.next();
  EXPECT_EQ(backoff.attempts(), 2U);
  backoff.reset();
  EXPECT_EQ(backoff.attempts(), 0U);
  EXPECT_TRUE(fits(backoff.next(), kOptions.initial_backoff));
}

TEST(Backoff, SpreadsThoseWhoFellTogether) {
  Backoff one(kOptions, 1);
  Backoff other(kOptions, 2);
  EXPECT_NE(one.next(), other.next());
}

}  // namespace
}  // namespace walcat
