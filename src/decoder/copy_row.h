#pragma once

#include <cstddef>
#include <cstdint>

#include "walcat/model/change.h"

namespace walcat {

/// Splits one row of COPY's text form, without its line feed, into cells, and takes the backslashes out where the row
/// stands. `base` is what the cells' offsets count from.
///
/// Returns whether the row has exactly `columns` fields. 64 bytes past its end are read.
/// Source: PostgreSQL manual, COPY, Text Format.
bool split_copy_row(char* row, std::size_t size, const char* base, Cell* cells, std::size_t columns);

}  // namespace walcat
