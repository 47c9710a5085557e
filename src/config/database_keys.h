#pragma once

#include "keys.h"

namespace walcat::config {

/// The key `databases`: a list of mappings with keys of their own.
Field<Draft> database_list();

}  // namespace walcat::config
