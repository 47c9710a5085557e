#pragma once

#include <string>
#include <vector>

namespace walcat::selection {

/// For each alternative in `pattern`, at its top or in a group that is not repeated, the pattern with only this one of
/// its siblings left; `pattern` itself where there are none, too many, or syntax that is not followed (\Q, flags in the
/// middle).
///
/// `a\.(b|c)` gives `a\.(b)` and `a\.(c)`.
std::vector<std::string> single_alternatives(const std::string& pattern);

}  // namespace walcat::selection
