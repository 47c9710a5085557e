#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"

namespace walcat {

/// Asks the catalog about relations that the stream describes, over a connection of its own.
///
/// Threads: stage-bound (reader).
class RelationDescriber {
 public:
  /// `stop` is borrowed.
  RelationDescriber(std::string conn_str, const StopRequest& stop, const log::Logger& logger)
      : conn_str_(std::move(conn_str)), stop_(stop), logger_(logger) {}

  /// Adds what the catalog says of the relation in a Relation message, for the decoder to find beside it.
  Status describe(std::string_view frame, Batch& batch);

  /// Ends the connection; the next question opens another.
  void disconnect() { catalog_.reset(); }

 private:
  const std::string conn_str_;
  const StopRequest& stop_;
  const log::Logger logger_;
  std::unique_ptr<Connection> catalog_;
};

}  // namespace walcat
