#pragma once

#include <string>
#include <string_view>

#include "line_writer.h"
#include "walcat/serializer/options.h"

namespace walcat {

// Each writes the JSON of PostgreSQL's text of its type; false, and nothing written, if it is no such text.

/// A bytea in hex form, as `mode` says.
bool write_bytea(LineWriter& out, std::string_view text, DebeziumOptions::BinaryHandling mode);
/// A bit string of one bit: true or false.
bool write_bit(LineWriter& out, std::string_view text);
/// A bit string: base64 of its bytes, the lowest first, without the highest that are zero.
bool write_bits(LineWriter& out, std::string_view text);

/// The JSON of `bytes` as `mode` says, for what is rendered once.
std::string binary_json(std::string_view bytes, DebeziumOptions::BinaryHandling mode);

}  // namespace walcat
