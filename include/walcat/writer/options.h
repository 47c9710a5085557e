#pragma once

#include <string>

namespace walcat {

/// Where lines go (`output`).
struct WriterOptions {
  /// File to append to; empty means stdout.
  std::string path;
};

}  // namespace walcat
