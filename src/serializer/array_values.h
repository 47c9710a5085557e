#pragma once

#include <memory>

#include "cell_writer.h"

namespace walcat {

/// Writes arrays of any depth, `{{1,2},{3,NULL}}`, as nested JSON arrays of what `element` writes.
///
/// An element that is not of its type becomes a string of its text. Bounds before the array are left out.
std::unique_ptr<const CellWriter> array_writer(std::unique_ptr<const CellWriter> element, char delimiter);

}  // namespace walcat
