#include "pipeline/batch_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using testing::HasSubstr;

constexpr std::size_t kMiB = std::size_t{1} << 20;

StreetOptions street(std::size_t memory_limit, std::size_t batch_bytes = 0) {
  StreetOptions options;
  options.memory_limit = memory_limit;
  options.batch_bytes = batch_bytes;
  return options;
}

TEST(BatchPlan, TakesLargeBatchesWhereThereIsRoom) {
  const auto plan = plan_batches(street(32 * kMiB), 1);
  ASSERT_TRUE(plan.is_ok());
  EXPECT_EQ(plan->batch_bytes, std::size_t{256} << 10);
}

TEST(BatchPlan, DividesTheWholeLimitAndNoMore) {
  for (const std::size_t limit : {8 * kMiB, 32 * kMiB, 100 * kMiB, 1024 * kMiB}) {
    for (const std::size_t databases : {1U, 2U, 5U, 8U}) {
      const auto plan = plan_batches(street(limit), databases);
      ASSERT_TRUE(plan.is_ok()) << limit << " for " << databases << ": " << plan.status().message();
      const std::size_t batches = databases * plan->reserved_each + plan->shared;
      const std::size_t held = batches * Batch::memory_bound(plan->batch_bytes);
      EXPECT_LE(held, limit);
      EXPECT_LT(limit - held, Batch::memory_bound(plan->batch_bytes)) << "a batch more had fitted";
      EXPECT_GE(plan->reserved_each, 2U);
      EXPECT_EQ(plan->most_in_lane(), plan->reserved_each + plan->shared);
    }
  }
}

TEST(BatchPlan, TakesSmallerBatchesForMoreDatabases) {
  std::size_t before = ~std::size_t{0};
  for (const std::size_t databases : {1U, 4U, 16U, 32U}) {
    const auto plan = plan_batches(street(32 * kMiB), databases);
    ASSERT_TRUE(plan.is_ok()) << plan.status().message();
    EXPECT_LE(plan->batch_bytes, before);
    before = plan->batch_bytes;
  }
  EXPECT_LT(before, std::size_t{256} << 10);
}

TEST(BatchPlan, TakesTheConfiguredBatchSize) {
  const auto plan = plan_batches(street(32 * kMiB, 100'000), 3);
  ASSERT_TRUE(plan.is_ok());
  EXPECT_EQ(plan->batch_bytes, 100'000U);
  EXPECT_EQ(plan->shared + 6, 32 * kMiB / Batch::memory_bound(100'000));
}

TEST(BatchPlan, FitsToTheByte) {
  const std::size_t six = 6 * Batch::memory_bound(50'000);
  const auto plan = plan_batches(street(six, 50'000), 3);
  ASSERT_TRUE(plan.is_ok());
  EXPECT_EQ(plan->shared, 0U);
  EXPECT_FALSE(plan_batches(street(six - 1, 50'000), 3).is_ok());
}

TEST(BatchPlan, RefusesALimitThatHoldsNoShareForEveryDatabase) {
  const auto plan = plan_batches(street(kMiB), 100);
  EXPECT_EQ(plan.status().code(), StatusCode::kConfiguration);
  EXPECT_THAT(plan.status().message(), HasSubstr("pipeline.memory_limit"));
  EXPECT_THAT(plan.status().message(), HasSubstr("1048576 bytes"));
  EXPECT_THAT(plan.status().message(), HasSubstr("100 databases need 200"));
  EXPECT_FALSE(plan_batches(street(0), 1).is_ok());
}

TEST(SharedBatches, DealOutWhatWasPlannedAndTakeItBack) {
  BatchPlan plan;
  plan.batch_bytes = 1024;
  plan.shared = 3;
  SharedBatches shared(plan);
  auto one = shared.take();
  auto two = shared.take();
  auto three = shared.take();
  ASSERT_NE(three, nullptr);
  EXPECT_FALSE(one->is_reserved);
  EXPECT_EQ(shared.take(), nullptr);
  shared.put(std::move(two));
  EXPECT_NE(shared.take(), nullptr);
}

}  // namespace
}  // namespace walcat::test
