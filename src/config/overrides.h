#pragma once

#include <string>
#include <vector>

#include "faults.h"
#include "node.h"

namespace walcat::config {

/// Puts each `path.to.key=value` of `overrides` into the tree, in order; missing mappings and lists are made.
///
/// A number in a path is an index where a list is or nothing is yet; the index one past the end appends.
/// Errors: a fault for a text without path or `=`, for an index beyond that, for a path through a plain value, and for
///     a value that is not YAML. Keys are not checked here.
void apply_overrides(Node& root, const std::vector<std::string>& overrides, Faults& faults);

}  // namespace walcat::config
