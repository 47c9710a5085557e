#pragma once

#include <string>
#include <vector>

namespace walcat {

/// A table and its columns as they are published now.
struct PublishedTable {
  std::string schema;
  std::string table;
  std::vector<std::string> columns;
};

}  // namespace walcat
