#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "cell_writer.h"

namespace walcat {

// Each writes the JSON of PostgreSQL's text of its type; false, and nothing written, if it is no such text.

bool write_boolean(LineWriter& out, std::string_view text);
/// The digits as they are.
bool write_integer(LineWriter& out, std::string_view text);
/// The digits as they are, with `.0` where they have neither fraction nor exponent. Not for NaN and infinities.
bool write_float(LineWriter& out, std::string_view text);
/// The shortest digits of the nearest double; beyond its range the strings of the infinities.
bool write_numeric_double(LineWriter& out, std::string_view text);
/// A string of the digits, or `"NAN"`, `"POSITIVE_INFINITY"`, `"NEGATIVE_INFINITY"`.
bool write_numeric_string(LineWriter& out, std::string_view text);

/// Whether `text` is a number of JSON.
bool is_json_number(std::string_view text);

/// Base64 of the unscaled value at `scale`.
std::unique_ptr<const CellWriter> fixed_decimal_writer(std::size_t scale);
/// `{"scale":1,"value":"aQ=="}`, the scale being the least there is for the value.
std::unique_ptr<const CellWriter> variable_decimal_writer();

/// Money as `lc_monetary` C prints it, `-$1,234.11`: `"-1234.11"`, or the double.
bool write_money_string(LineWriter& out, std::string_view text);
bool write_money_double(LineWriter& out, std::string_view text);
/// Base64 of the unscaled value at `scale`, 0 to 18, rounded half up, away from zero.
std::unique_ptr<const CellWriter> money_decimal_writer(int scale);

}  // namespace walcat
