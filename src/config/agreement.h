#pragma once

#include "faults.h"
#include "keys.h"
#include "node.h"

namespace walcat::config {

/// Fills what follows from several keys at once (labels, offset files, slot lists) and checks that they agree.
///
/// `root` is the tree that `draft` was read from, for the places of faults.
/// Errors: faults for a slot followed twice on one server, one file used twice (see ClaimedFiles), one name given
///     twice, and a longest pause shorter than the first.
void complete(Draft& draft, const Node& root, Faults& faults);

}  // namespace walcat::config
