#pragma once

#include <optional>
#include <string>

#include "faults.h"
#include "node.h"

namespace walcat::config {

/// Reads one YAML document into a plain tree; the only place that knows the YAML library.
///
/// Every place in the tree has the `override_index` given. An empty document is null. Aliases are copied.
/// Errors: nothing, and a fault with the position: broken YAML, bytes that are not UTF-8, a second document, tags,
///     keys that are not text, aliases that grow without measure.
std::optional<Node> parse_yaml(const std::string& text, int override_index, Faults& faults);

}  // namespace walcat::config
