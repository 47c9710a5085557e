#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace walcat {

/// A table and its columns as they are published now.
struct PublishedTable {
  std::string schema;
  std::string table;
  std::vector<std::string> columns;
  std::uint32_t oid = 0;
  /// Of the columns, one each (Column::number).
  std::vector<std::int16_t> numbers = {};
};

}  // namespace walcat
