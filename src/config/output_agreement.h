#pragma once

#include <string>

#include "faults.h"
#include "node.h"
#include "walcat/serializer/options.h"

namespace walcat::config {

/// Fills what the keys left out of `output` take from others (the envelope, the framing), and checks that all agree.
///
/// `path` is the section's, for faults.
/// Errors: faults for a key without a framing that prints it, and the reverse, for tombstones without a key, and for a
///     key separator that holds the record separator.
void complete_output(const Node& output, const std::string& path, SerializerOptions& options, Faults& faults);

}  // namespace walcat::config
