#pragma once

#include "keys.h"

namespace walcat::config {

/// The words of `on_keyless`, which may stand at the top level and in an entry.
Codec<OnKeyless> on_keyless_words();

/// The key `databases`: a list of mappings with keys of their own.
Field<Draft> database_list();

}  // namespace walcat::config
