#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "walcat/capture/capture_writer.h"
#include "walcat/reader/options.h"
#include "walcat/retry/backoff.h"
#include "walcat/retry/circuit_breaker.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// The rooms of the street, in their order.
enum class Room { kReader, kDecoder, kSerializer, kWriter };

/// Size and shape of the street (`pipeline`).
struct StreetOptions {
  /// Threads that decode; each serves the databases dealt to it. 0: one for each pair of cores, at least 1.
  std::size_t decoders = 0;
  /// Threads that serialize; they share all databases. 0: one for each pair of cores, at least 1.
  std::size_t serializers = 0;
  /// Frame bytes in one batch. 0: as many as `memory_limit` allows, at most 256 KiB.
  std::size_t batch_bytes = 0;
  /// Bytes that all batches together may hold; and as many again for rows that are larger than a batch (LargeRows).
  std::size_t memory_limit = std::size_t{32} << 20;
  /// The room behind which everything is dropped, as if it had been written. No offsets but those of a capture may
  /// depend on it.
  Room stop_after = Room::kWriter;
};

/// Everything the pipeline needs to run.
struct PipelineOptions {
  std::vector<DatabaseOptions> databases;
  SerializerOptions serializer;
  StreetOptions street;
  /// Where the frames are kept as they came, beside the lines (`output.capture`).
  std::optional<CaptureOptions> capture;
  BackoffOptions retry;
  CircuitBreakerOptions breaker;
  Bounds bounds;
  /// Changes to write before a clean stop (`--max-changes`).
  std::optional<std::uint64_t> max_changes;
  /// How often offsets are stored and confirmed.
  std::chrono::milliseconds flush_interval{10'000};
  /// How long a stop waits for open transactions to commit, and then for the output to take what is on its way.
  std::chrono::milliseconds shutdown_timeout{10'000};
};

}  // namespace walcat
