#pragma once

#include <string>
#include <string_view>

#include "walcat/model/column_rule.h"

namespace walcat::selection {

/// Whether libcrypto computes `digest` here; where it is bound to certified algorithms it may refuse MD5.
bool is_available(ColumnRule::Digest digest);

/// Sets `hex` to the lower-case hexadecimal digest of the salt's bytes followed by the value's.
///
/// Threads: thread-safe.
/// Errors: std::bad_alloc; also for a digest that is not available.
void write_digest(ColumnRule::Digest digest, std::string_view salt, std::string_view value, std::string& hex);

}  // namespace walcat::selection
