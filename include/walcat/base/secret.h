#pragma once

#include <cstddef>
#include <string>

namespace walcat {

/// `bytes` (256 at most) from the system's random numbers, as twice as many hexadecimal digits: what nobody can guess.
///
/// Threads: thread-safe.
/// Errors: std::system_error where the system has none.
std::string random_hex(std::size_t bytes);

}  // namespace walcat
