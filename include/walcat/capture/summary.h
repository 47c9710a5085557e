#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/lsn.h"
#include "walcat/base/status.h"
#include "walcat/capture/capture_reader.h"
#include "walcat/model/stream_identity.h"

namespace walcat {

/// What a capture file holds of one stream. Context of an earlier file is not counted.
struct StreamSummary {
  std::shared_ptr<const StreamIdentity> identity;
  /// Connections, of all runs.
  std::uint64_t sessions = 0;
  std::uint64_t frames = 0;
  /// Of these frames.
  std::uint64_t bytes = 0;
  /// Their commits.
  std::uint64_t transactions = 0;
  std::uint64_t inserts = 0;
  std::uint64_t updates = 0;
  std::uint64_t deletes = 0;
  std::uint64_t truncates = 0;
  /// Logical messages.
  std::uint64_t messages = 0;
  std::uint64_t snapshot_rows = 0;
  /// Commit LSNs of the first and the last commit; zero: none.
  Lsn first_commit;
  Lsn last_commit;
  /// Microseconds since 2000-01-01 UTC at which the first and the last parcel came; nothing: there is none.
  std::optional<std::int64_t> first_received;
  std::optional<std::int64_t> last_received;
};

/// What a capture file holds.
struct CaptureSummary {
  std::string path;
  CaptureFacts file;
  /// Frames that could not be decoded; what describes them is not counted.
  std::uint64_t dead_letters = 0;
  /// Where the whole blocks end, if the file goes on.
  std::optional<std::uint64_t> torn_at;
  /// In the order in which they came.
  std::vector<StreamSummary> streams;
};

/// Reads the whole file and checks all of it: checksums, records, frames' sizes, and whether the stream's messages are
/// of kinds that pgoutput has.
///
/// Errors: kRefused, naming file and place, if it can't be read or is damaged.
Result<CaptureSummary> summarize(const std::string& path);

/// For people: a paragraph about the file, and one a stream.
std::string to_text(const CaptureSummary& summary);
/// An object on one line; LSNs as PostgreSQL prints them, times in microseconds since 1970-01-01 UTC.
std::string to_json(const CaptureSummary& summary);

}  // namespace walcat
