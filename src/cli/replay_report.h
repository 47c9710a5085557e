#pragma once

#include <string>

#include "walcat/pipeline/pipeline.h"
#include "walcat/reader/replay_options.h"

namespace walcat {

/// A replay's tally for people: a table of some lines.
std::string tally_table(const ReplayTally& tally, const ReplayOptions& asked);

/// The same as a JSON object and a line feed; times are in microseconds where their names say so.
std::string tally_json(const ReplayTally& tally, const ReplayOptions& asked);

}  // namespace walcat
