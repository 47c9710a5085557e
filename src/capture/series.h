#pragma once

#include <cstdint>
#include <string>

#include "walcat/base/status.h"

namespace walcat {

// The files of a capture that is rotated: out.wcap is written as out.000001.wcap, out.000002.wcap, ..., so that a
// shell's glob gives them in order.

/// The path of file `number`, from 1, of the series `path`.
std::string series_path(const std::string& path, std::uint64_t number);

/// The highest number of the files that are there; 0: none.
///
/// Errors: kRefused if the folder can't be read.
Result<std::uint64_t> last_of_series(const std::string& path);

}  // namespace walcat
