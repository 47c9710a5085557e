#include "walcat/retry/circuit_breaker.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

using State = CircuitBreaker::State;

constexpr CircuitBreakerOptions kOptions{3, std::chrono::minutes(5)};

TEST(CircuitBreaker, OpensAtTheThreshold) {
  CircuitBreaker breaker(kOptions);
  EXPECT_FALSE(breaker.fail());
  EXPECT_FALSE(breaker.fail());
  EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreaker, ASuccessBeginsTheCountAnew) {
  CircuitBreaker breaker(kOptions);
  breaker.fail();
  breaker.fail();
  breaker.succeed();
  EXPECT_FALSE(breaker.fail());
  EXPECT_FALSE(breaker.fail());
}

TEST(CircuitBreaker, OneFailedProbeOpensItAgain) {
  CircuitBreaker breaker(kOptions);
  for (int i = 0; i < 3; ++i) breaker.fail();
  breaker.probe();
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_TRUE(breaker.fail());
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(CircuitBreaker, OneGoodProbeClosesIt) {
  CircuitBreaker breaker(kOptions);
  for (int i = 0; i < 3; ++i) breaker.fail();
  breaker.probe();
  breaker.succeed();
  EXPECT_EQ(breaker.state(), State::kClosed);
  EXPECT_EQ(breaker.failures(), 0U);
  EXPECT_FALSE(breaker.fail());
}

TEST(CircuitBreaker, AClosedOneNeedsNoProbe) {
  CircuitBreaker breaker(kOptions);
  breaker.probe();
  EXPECT_EQ(breaker.state(), State::kClosed);
}

}  // namespace
}  // namespace walcat
