// When something that may happen in every transaction is worth a line of the log.

#include "walcat/base/counted_notice.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using namespace std::chrono_literals;

TEST(CountedNotice, IsSaidAtOnceAndThenTogether) {
  CountedNotice notice;
  const CountedNotice::Clock::time_point start{100s};
  EXPECT_EQ(notice.add(0, start), 0U);
  EXPECT_EQ(notice.add(2, start), 2U);
  EXPECT_EQ(notice.add(3, start), 0U);
  EXPECT_EQ(notice.add(4, start + 59s), 0U);
  EXPECT_EQ(notice.add(0, start + 60s), 0U) << "nothing new";
  EXPECT_EQ(notice.add(5, start + 61s), 12U);
  EXPECT_EQ(notice.add(6, start + 62s), 0U) << "a minute from the last time";
  EXPECT_EQ(notice.add(1, start + 200s), 7U);
  EXPECT_EQ(notice.total(), 21U);
}

}  // namespace
}  // namespace walcat::test
