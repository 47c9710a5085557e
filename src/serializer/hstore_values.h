#pragma once

#include <memory>

#include "cell_writer.h"

namespace walcat {

/// Writes hstore, `"k"=>"v", "n"=>NULL`, as a JSON object of strings and nulls, in PostgreSQL's order of keys.
std::unique_ptr<const CellWriter> hstore_object_writer();

/// The same as a JSON string that holds the object.
std::unique_ptr<const CellWriter> hstore_string_writer();

}  // namespace walcat
