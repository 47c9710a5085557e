#pragma once

#include <cstddef>
#include <string>

namespace walcat {

/// What is done to a column's value before it is printed.
struct ColumnRule {
  enum class Action { kPrint, kOmit, kMask, kTruncate, kHash };
  enum class Digest { kSha256, kSha512, kMd5 };

  Action action = Action::kPrint;
  /// kMask: printed instead of every value that is not null.
  std::string mask;
  /// kTruncate: characters (Unicode code points) that are kept.
  std::size_t length = 0;
  /// kHash: lower-case hexadecimal digest of the salt's bytes followed by the value's.
  Digest digest = Digest::kSha256;
  std::string salt;

  bool operator==(const ColumnRule&) const = default;
};

}  // namespace walcat
