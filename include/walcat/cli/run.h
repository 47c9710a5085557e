#pragma once

#include "walcat/cli/exit_status.h"
#include "walcat/config/configuration.h"

namespace walcat {

/// Follows the databases of `configuration` until the bound, a signal or a failure ends it.
///
/// Threads: the main thread, once. Installs the signal handlers and starts every other thread.
/// Errors: logged, each with its database; the exit status says what ended the run.
ExitStatus run_pipeline(const Configuration& configuration);

}  // namespace walcat
