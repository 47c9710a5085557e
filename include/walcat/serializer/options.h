#pragma once

#include <string>

namespace walcat {

/// Which object a line is (`output.envelope`).
enum class Envelope { kMessage };

/// How a column's value is written (`output.values`).
enum class Values {
  kNative,  ///< Numbers and booleans as JSON's own, the rest as strings.
  kText,    ///< PostgreSQL's text form as a string, whatever the type.
};

/// How changes become lines (`connector_name`, `output`).
struct SerializerOptions {
  /// Printed as source.connector and, with the schema, as source.name.
  std::string connector_name = "walcat";
  Envelope envelope = Envelope::kMessage;
  Values values = Values::kNative;
  /// Whether `commit_lsn` and `index` end the source block; costs about 40 bytes a line.
  bool position = true;
};

}  // namespace walcat
