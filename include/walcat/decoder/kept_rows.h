#pragma once

#include <cstddef>
#include <string>

#include "walcat/model/batch.h"

namespace walcat {

/// Frames as Batch::frames() gives them.
struct FrameText {
  std::string bytes;
  std::size_t count = 0;
};

/// The rows of a decoded batch that became changes (op r), as COPY writes them.
FrameText kept_rows(const Batch& batch);

}  // namespace walcat
