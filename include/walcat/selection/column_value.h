#pragma once

#include <string>
#include <string_view>

#include "walcat/model/column_rule.h"

namespace walcat {

/// What is printed of `text`, a value that is not null, under `rule`.
///
/// Threads: thread-safe, for each thread has a scratch of its own.
/// Ownership: the answer views `text` (kPrint, kTruncate), `rule` (kMask) or `scratch` (kHash), and lives until the
/// first
///     change of that one. Only kHash writes to `scratch`; nothing is allocated once it has held a digest. Under kOmit,
///     where there is nothing to print, the answer is empty.
/// Errors: std::bad_alloc from kHash, as from any growing string. `text` may be any bytes: one that begins no UTF-8
///     character counts as a character of its own.
std::string_view ruled_value(const ColumnRule& rule, std::string_view text, std::string& scratch);

}  // namespace walcat
