#pragma once

#include <cstddef>
#include <string>

namespace walcat {

// How many file descriptors the process may have (RLIMIT_NOFILE), and who may take how many of them.

/// Raises the soft limit to the hard one: the soft one is low for programs that call select(), which walcat does not.
/// Where that is refused it stays as it is.
void raise_descriptor_limit();

/// `ulimit -n 1024`.
std::string descriptor_limit_text();

/// How many files the spools of each of `databases` may have at once: half of the limit is theirs, in equal shares of
/// at least one. The other half is for connections, offset files, outputs and captures.
std::size_t spool_files_most(std::size_t databases);

}  // namespace walcat
