#pragma once

#include <string_view>

#include "line_writer.h"

namespace walcat {

// Each writes the JSON of a type's text; false, and nothing written, if it is no such text.

/// A point, `(1.5,-2)`: coordinates, and the same as little-endian well-known binary.
bool write_point(LineWriter& out, std::string_view text);
/// PostGIS's geometry or geography, hexadecimal extended well-known binary: base64 of it, and the reference system.
bool write_geometry(LineWriter& out, std::string_view text);
/// pgvector's vector or halfvec, `[1,2.5]`: an array of numbers.
bool write_vector(LineWriter& out, std::string_view text);
/// pgvector's sparsevec, `{1:201,9:209}/3000`: dimensions, and pairs of place and number.
bool write_sparse_vector(LineWriter& out, std::string_view text);

}  // namespace walcat
