#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/pipeline/options.h"
#include "walcat/queue/queues.h"

namespace walcat {

/// How the memory of the street is divided.
struct BatchPlan {
  /// Frame bytes of one batch.
  std::size_t batch_bytes = 0;
  /// Batches each database has to itself: one to fill while another is on its way.
  std::size_t reserved_each = 2;
  /// Batches that any database may take.
  std::size_t shared = 0;

  /// Most batches that one database can have on the street.
  std::size_t most_in_lane() const { return reserved_each + shared; }
};

/// Divides `options.memory_limit` among `databases`.
///
/// Errors: kConfiguration if the limit does not hold the reserved batches.
Result<BatchPlan> plan_batches(const StreetOptions& options, std::size_t databases);

/// The batches that any lane may take; they come back through the writer.
///
/// Threads: thread-safe.
class SharedBatches {
 public:
  explicit SharedBatches(const BatchPlan& plan);

  /// Null when all are on the street.
  std::unique_ptr<Batch> take() { return free_.take(); }
  void put(std::unique_ptr<Batch> batch) { free_.put(std::move(batch)); }

 private:
  SharedQueue<Batch> free_;
};

}  // namespace walcat
