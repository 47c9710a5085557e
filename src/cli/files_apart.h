#pragma once

#include "walcat/base/claimed_files.h"
#include "walcat/base/status.h"
#include "walcat/config/configuration.h"

namespace walcat {

/// Claims the file of the configuration, and the files of its databases: offsets and dead letters.
void claim_files(const Configuration& configuration, ClaimedFiles& files);

/// Refuses a run whose stdout, if its lines go there, or stderr leads to one of `files`: where a shell sends lines and
/// log to, the configuration does not know.
///
/// Errors: kConfiguration.
Status check_standard_files(const Configuration& configuration, const ClaimedFiles& files);

}  // namespace walcat
