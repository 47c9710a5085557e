#pragma once

#include <cstddef>
#include <string>

#include "walcat/model/column_rule.h"

namespace walcat::test {

inline ColumnRule rule(ColumnRule::Action action) {
  ColumnRule rule;
  rule.action = action;
  return rule;
}

inline ColumnRule mask(const std::string& with) {
  ColumnRule masked = rule(ColumnRule::Action::kMask);
  masked.mask = with;
  return masked;
}

inline ColumnRule truncate(std::size_t length) {
  ColumnRule truncated = rule(ColumnRule::Action::kTruncate);
  truncated.length = length;
  return truncated;
}

inline ColumnRule hash(ColumnRule::Digest digest, const std::string& salt) {
  ColumnRule hashed = rule(ColumnRule::Action::kHash);
  hashed.digest = digest;
  hashed.salt = salt;
  return hashed;
}

}  // namespace walcat::test
