#include "walcat/base/postgres_time.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

TEST(PostgresTime, BeginsInTheYear2000) { EXPECT_EQ(unix_millis(0), 946'684'800'000); }

TEST(PostgresTime, RoundsDownOnBothSidesOf1970) {
  EXPECT_EQ(unix_millis(1'999), 946'684'800'001);
  EXPECT_EQ(unix_millis(-1), 946'684'799'999);
  EXPECT_EQ(unix_millis(-kPostgresEpochUnixMicros - 1), -1);
  EXPECT_EQ(unix_millis(-kPostgresEpochUnixMicros - 1'000), -1);
  EXPECT_EQ(unix_millis(-kPostgresEpochUnixMicros - 1'001), -2);
}

TEST(PostgresTime, NowIsAfter2020) { EXPECT_GT(unix_millis(postgres_now_micros()), 1'577'836'800'000); }

}  // namespace
}  // namespace walcat
