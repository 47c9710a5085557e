#include "walcat/base/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace walcat {
namespace {

TEST(Status, IsOkUnlessSaidOtherwise) {
  EXPECT_TRUE(Status().is_ok());
  EXPECT_FALSE(Status(StatusCode::kGap, "slot is gone").is_ok());
}

TEST(Status, PutsContextBeforeItsMessage) {
  const Status status = Status(StatusCode::kRefused, "no right").with_context("db1");
  EXPECT_EQ(status.message(), "db1: no right");
  EXPECT_EQ(status.code(), StatusCode::kRefused);
  EXPECT_TRUE(Status::ok().with_context("db1").is_ok());
}

TEST(Result, HoldsAValueOrAReason) {
  Result<int> value = 3;
  EXPECT_TRUE(value.is_ok());
  EXPECT_TRUE(value.status().is_ok());
  EXPECT_EQ(*value, 3);
  const Result<int> failure = Status(StatusCode::kInternal, "why");
  EXPECT_FALSE(failure.is_ok());
  EXPECT_EQ(failure.status().message(), "why");
}

TEST(Result, HandsOverWhatCannotBeCopied) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(result);
  EXPECT_EQ(*taken, 7);
}

}  // namespace
}  // namespace walcat
