#include "batch_pool.h"

#include <fmt/format.h>

#include <algorithm>

namespace walcat {

namespace {

constexpr std::size_t kLargestBatch = std::size_t{256} << 10;
constexpr std::size_t kSmallestBatch = std::size_t{16} << 10;

// The largest batch of which every database can have its share twice over.
std::size_t automatic_batch_bytes(const StreetOptions& options, std::size_t databases) {
  const std::size_t wanted = 4 * databases + 4;
  std::size_t bytes = kLargestBatch;
  while (bytes > kSmallestBatch && options.memory_limit / Batch::memory_bound(bytes) < wanted) bytes /= 2;
  return bytes;
}

}  // namespace

Result<BatchPlan> plan_batches(const StreetOptions& options, std::size_t databases) {
  BatchPlan plan;
  plan.batch_bytes = options.batch_bytes != 0 ? options.batch_bytes : automatic_batch_bytes(options, databases);
  const std::size_t total = options.memory_limit / Batch::memory_bound(plan.batch_bytes);
  const std::size_t reserved = plan.reserved_each * databases;
  if (total < reserved) {
    return Status(StatusCode::kConfiguration,
                  fmt::format("pipeline.memory_limit: {} bytes hold {} batches of {} bytes; {} databases need {}",
                              options.memory_limit, total, plan.batch_bytes, databases, reserved));
  }
  plan.shared = total - reserved;
  return plan;
}

SharedBatches::SharedBatches(const BatchPlan& plan) : free_(plan.shared) {
  for (std::size_t i = 0; i < plan.shared; ++i) free_.put(std::make_unique<Batch>(plan.batch_bytes));
}

}  // namespace walcat
