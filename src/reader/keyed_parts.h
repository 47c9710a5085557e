#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/model/table_name.h"
#include "walcat/postgres/connection.h"
#include "walcat/reader/incremental_reader.h"
#include "walcat/reader/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// The parts of each of `tables`, or why it can't be read: it is not there, has no key, or is not published, not
/// printed or not readable.
///
/// A handful of questions to the catalog, each for all of the tables at once and for no others. Within a transaction
/// whose snapshot all of them see. Servers from 14 on.
/// Errors: the server can't be asked; of a single table always kRefused.
Result<std::vector<Result<std::vector<KeyedPart>>>> find_keyed_parts(Connection& connection,
                                                                     const DatabaseOptions& options,
                                                                     const Selection& selection,
                                                                     std::span<const TableName> tables);

}  // namespace walcat
