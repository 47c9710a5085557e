#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "walcat/decoder/decoder.h"
#include "walcat/pipeline/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

// What the run's options come to for one of its databases.

/// What its reader needs: the catalog is asked only where something printed depends on it, now or when a capture is
/// replayed.
DatabaseOptions lane_options(const PipelineOptions& options, std::size_t database);

/// What its decoder needs. `is_replay`: its frames come from a capture.
DecoderOptions decoder_options(const PipelineOptions& options, const DatabaseOptions& database,
                               const std::shared_ptr<const Selection>& selection, bool is_replay);

/// Operations that are not printed, a bit each.
std::uint32_t skipped_operations(const SerializerOptions& lines);

/// Whether lines tell when their frames came.
bool tells_times(const SerializerOptions& lines);

}  // namespace walcat
