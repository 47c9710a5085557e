// When the changes of a replay are due: by a rate, or as they were recorded.

#include "walcat/reader/tempo.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

namespace walcat::test {
namespace {

using namespace std::chrono_literals;
using Clock = Tempo::Clock;

const Clock::time_point kStart{1000s};

Tempo with_rate(double rate) {
  ReplayOptions options;
  options.tempo = ReplayOptions::Tempo::kRate;
  options.rate = rate;
  return {options, kStart};
}

Tempo with_speed(double speed) {
  ReplayOptions options;
  options.tempo = ReplayOptions::Tempo::kRecorded;
  options.speed = speed;
  return {options, kStart};
}

// When each of the next `count` changes is due: those inside a group with their group.
std::vector<Clock::duration> timetable(Tempo& tempo, std::uint64_t count) {
  std::vector<Clock::duration> all;
  Clock::duration due{};
  for (std::uint64_t i = 0; i < count; ++i) {
    if (tempo.begins_group()) due = tempo.group_due() - kStart;
    all.push_back(due);
    tempo.pass();
  }
  return all;
}

TEST(Tempo, HasNoRateUnlessOneWasAskedFor) {
  EXPECT_TRUE(with_rate(0.5).has_rate());
  EXPECT_FALSE(with_speed(2).has_rate());
  ReplayOptions most;
  most.rate = 1000;
  EXPECT_FALSE(Tempo(most, kStart).has_rate());
}

TEST(Tempo, SendsChangesOneByOneAtALowRate) {
  Tempo ten = with_rate(10);
  EXPECT_EQ(timetable(ten, 4), (std::vector<Clock::duration>{0ms, 100ms, 200ms, 300ms}));
  Tempo slow = with_rate(0.5);
  EXPECT_EQ(timetable(slow, 3), (std::vector<Clock::duration>{0s, 2s, 4s}));
  Tempo thousand = with_rate(1000);
  EXPECT_EQ(timetable(thousand, 3), (std::vector<Clock::duration>{0ms, 1ms, 2ms}));
}

TEST(Tempo, SendsAMillisecondsWorthAtOnceAtAHighRate) {
  Tempo tempo = with_rate(5000);
  EXPECT_EQ(timetable(tempo, 11),
            (std::vector<Clock::duration>{0ms, 0ms, 0ms, 0ms, 0ms, 1ms, 1ms, 1ms, 1ms, 1ms, 2ms}));
}

// Groups of whole changes at 1700 a second would be 2000 a second, if a group were always due after a millisecond.
TEST(Tempo, KeepsTheRateWhereAMillisecondsWorthIsNoWholeNumber) {
  for (const double rate : {0.3, 7.0, 999.0, 1499.0, 1500.0, 1700.0, 2500.0, 123'456.7, 1e6, 1.5e9}) {
    Tempo tempo = with_rate(rate);
    std::uint64_t passed = 0;
    while (passed < 3'000'000 || !tempo.begins_group()) {
      if (tempo.begins_group()) {
        const double due = std::chrono::duration<double>(tempo.group_due() - kStart).count();
        ASSERT_NEAR(due, static_cast<double>(passed) / rate, 2e-9 + due * 1e-14) << rate << ", change " << passed;
      }
      tempo.pass();
      ++passed;
    }
  }
}

TEST(Tempo, FollowsTheRecordedTimes) {
  const Tempo as_recorded = with_speed(1);
  EXPECT_EQ(as_recorded.due(0us), kStart);
  EXPECT_EQ(as_recorded.due(1'500'000us), kStart + 1500ms);
  EXPECT_EQ(with_speed(10).due(1'500'000us), kStart + 150ms);
  EXPECT_EQ(with_speed(0.25).due(1'500'000us), kStart + 6s);
}

TEST(Tempo, TakesFactorsAndRatesThatAreBeyondTheClock) {
  EXPECT_GT(with_speed(1e-300).due(1us), kStart + std::chrono::hours(24 * 365));
  EXPECT_EQ(with_speed(1e300).due(std::chrono::hours(24 * 365)), kStart);
  Tempo never = with_rate(1e-300);
  never.pass();
  EXPECT_GT(never.group_due(), kStart + std::chrono::hours(24 * 365));
  Tempo at_once = with_rate(1e300);
  for (int i = 0; i < 1000; ++i) at_once.pass();
  EXPECT_EQ(at_once.group_due(), kStart);
}

}  // namespace
}  // namespace walcat::test
