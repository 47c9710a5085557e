#pragma once

#include <vector>

#include "keys.h"

namespace walcat::config {

/// The keys of an entry of `databases` that choose tables, columns and keys.
std::vector<Field<DatabaseDraft>> selection_keys();

}  // namespace walcat::config
