#pragma once

#include <string>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/published_table.h"
#include "walcat/reader/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Enters the tables of `published` that are printed into the run's topics, if it has any, and warns of what may
/// surprise.
///
/// Errors: kRefused naming the tables and the topic that they would share.
Status check_topics(const DatabaseOptions& options, const Selection& selection, const std::string& database,
                    const std::vector<PublishedTable>& published, const log::Logger& logger);

}  // namespace walcat
