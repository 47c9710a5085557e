#include "walcat/selection/column_value.h"

#include "walcat/base/utf8.h"
#include "walcat/selection/digest.h"

namespace walcat {

std::string_view ruled_value(const ColumnRule& rule, std::string_view text, std::string& scratch) {
  switch (rule.action) {
    case ColumnRule::Action::kPrint: return text;
    case ColumnRule::Action::kOmit: return {};
    case ColumnRule::Action::kMask: return rule.mask;
    case ColumnRule::Action::kTruncate: return first_characters(text, rule.length);
    case ColumnRule::Action::kHash: selection::write_digest(rule.digest, rule.salt, text, scratch); return scratch;
  }
  return {};
}

}  // namespace walcat
