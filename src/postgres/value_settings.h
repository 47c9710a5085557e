#pragma once

#include <array>

namespace walcat {

struct PinnedSetting {
  const char* name;
  const char* value;
};

/// What makes values print as they do, the same on every server: of each session from its beginning. Known to all
/// servers from 10 on.
constexpr std::array kValueSettings{
    PinnedSetting{"DateStyle", "ISO,YMD"},
    PinnedSetting{"IntervalStyle", "postgres"},
    PinnedSetting{"TimeZone", "UTC"},
    PinnedSetting{"extra_float_digits", "3"},
    PinnedSetting{"bytea_output", "hex"},
    PinnedSetting{"lc_monetary", "C"},
    PinnedSetting{"quote_all_identifiers", "off"},
};

}  // namespace walcat
