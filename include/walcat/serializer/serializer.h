#pragma once

#include <memory>

#include "walcat/model/batch.h"
#include "walcat/serializer/options.h"

namespace walcat {

class MessageEnvelope;

/// Turns the changes of a batch into lines of JSON.
///
/// Holds what it has rendered once per relation; otherwise without state, so batches may go to any serializer.
class Serializer {
 public:
  explicit Serializer(const SerializerOptions& options);
  ~Serializer();

  /// Appends the lines of `batch`'s changes from `changes_written` on, in order, and the end of each change's lines.
  ///
  /// Stops early, after a whole change, once the lines outgrow Batch::line_bytes(); the writer then takes what is there
  /// and the batch comes back for the rest.
  /// Threads: stage-bound (serializer).
  void serialize(Batch& batch);

 private:
  std::unique_ptr<MessageEnvelope> envelope_;
};

}  // namespace walcat
