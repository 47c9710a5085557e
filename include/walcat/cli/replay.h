#pragma once

#include "walcat/cli/command_line.h"
#include "walcat/cli/exit_status.h"
#include "walcat/cli/stop_signals.h"

namespace walcat {

/// `walcat replay`: plays the captures that the command line names to the output of the configuration, if there is one.
///
/// Threads: the main thread, once; see run_pipeline().
ExitStatus replay(const CommandLine& line, StopSignals& signals);

/// `walcat capture info` and `walcat capture verify`.
ExitStatus describe_captures(const CommandLine& line);

}  // namespace walcat
