#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cell_writer.h"

namespace walcat {

/// Writes an enum's values as strings, and reports those that are none of `labels` (LineWriter::strange_label): ALTER
/// TYPE adds and renames labels without a word in the stream.
std::unique_ptr<const CellWriter> enum_writer(std::uint32_t type_oid, const std::vector<std::string>& labels);

}  // namespace walcat
