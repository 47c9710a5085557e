#pragma once

#include <string>
#include <string_view>

namespace walcat {

/// `text` as a JSON string. For what is rendered once; values go through a LineWriter.
std::string quoted_json(std::string_view text);

/// The value that stands for an unchanged TOAST value, from its configured form: as it is, or after `hex:` the octets
/// behind, as Debezium's `unavailable.value.placeholder` has it.
std::string placeholder_bytes(std::string_view configured);

/// The same as text: the configured form itself if the octets are no UTF-8.
std::string placeholder_text(std::string_view configured);

}  // namespace walcat
