// How late changes were: quantiles of what was counted in classes.

#include "walcat/metrics/delays.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace walcat::test {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(Delays, OfNothingAreZero) {
  const Delays none;
  EXPECT_EQ(none.count(), 0U);
  EXPECT_EQ(none.quantile(0.5), nanoseconds(0));
  EXPECT_EQ(none.most(), nanoseconds(0));
}

TEST(Delays, HaveTheQuantilesOfTheChangesAndNotOfTheCalls) {
  Delays delays;
  delays.add(microseconds(10), 98);
  delays.add(microseconds(1000), 2);
  EXPECT_EQ(delays.count(), 100U);
  EXPECT_NEAR(static_cast<double>(delays.quantile(0.5).count()), 10'000, 10'000 / 32.0);
  EXPECT_NEAR(static_cast<double>(delays.quantile(0.98).count()), 10'000, 10'000 / 32.0);
  EXPECT_EQ(delays.quantile(0.99), microseconds(1000)) << "never beyond the largest";
  EXPECT_EQ(delays.most(), microseconds(1000));
}

TEST(Delays, AreToldToOnePartIn32AndNeverTooShort) {
  for (double exact = 1; exact < 9e18; exact *= 1.37) {
    Delays delays;
    const nanoseconds delay(static_cast<std::int64_t>(exact));
    delays.add(delay, 1);
    delays.add(nanoseconds(INT64_MAX), 1);
    const auto told = delays.quantile(0.5);
    EXPECT_GE(told, delay);
    EXPECT_LE(static_cast<double>((told - delay).count()), static_cast<double>(delay.count()) / 32) << delay.count();
  }
}

TEST(Delays, CountWhatWasEarlyAsNotLate) {
  Delays delays;
  delays.add(nanoseconds(-5), 1);
  EXPECT_EQ(delays.quantile(1), nanoseconds(0));
}

}  // namespace
}  // namespace walcat::test
