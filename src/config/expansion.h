#pragma once

#include "faults.h"
#include "node.h"

namespace walcat::config {

/// Expands `${NAME}` and `${NAME:-default}` from the environment in every scalar below `root`, and `$$` to `$`.
///
/// It works on values after the YAML is read, so a variable cannot smuggle in keys. A `$` that neither `{` nor `$`
/// follows stays as it is, for passwords are full of them.
/// Errors: a fault for each variable that is not set and has no default, and for a `${` that is neither form; the
///     value is then kBroken.
void expand_environment(Node& root, Faults& faults);

/// The inverse for printing: `$` doubled where it would otherwise begin an expansion.
std::string escape_dollars(std::string_view text);

}  // namespace walcat::config
