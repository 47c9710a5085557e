#pragma once

#include <memory>
#include <optional>

#include "walcat/cli/exit_status.h"
#include "walcat/cli/stop_signals.h"
#include "walcat/config/configuration.h"
#include "walcat/pipeline/pipeline.h"
#include "walcat/reader/capture_player.h"

namespace walcat {

/// Follows the databases of `configuration` until the bound, a signal or a failure ends it.
///
/// Threads: the main thread, once. Starts every other thread but those of `signals`.
/// Errors: logged, each with its database; the exit status says what ended the run.
ExitStatus run_pipeline(const Configuration& configuration, StopSignals& signals);

/// The same with the frames that `player` has, for whose streams `configuration` has one database each.
///
/// `tally`: what was done; nothing if it was not begun.
ExitStatus run_replay(const Configuration& configuration, StopSignals& signals, std::unique_ptr<CapturePlayer> player,
                      std::optional<ReplayTally>& tally);

}  // namespace walcat
