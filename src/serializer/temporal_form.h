#pragma once

#include <optional>

#include "debezium_form.h"

namespace walcat {

/// The form of a date, time, timestamp or interval under the options' modes; nothing for other types.
std::optional<DebeziumForm> temporal_form(std::uint32_t oid, std::int32_t modifier, const DebeziumOptions& options);

}  // namespace walcat
