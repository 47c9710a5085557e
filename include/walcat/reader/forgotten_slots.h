#pragma once

#include <string>

#include "walcat/base/log.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"

namespace walcat {

/// Drops the inactive slots of the database that no entry of the configuration names and that one of our offset files
/// proves to be ours (`inactive_slot_check`); each is named first. What else is inactive is listed and left.
///
/// An offset file proves a slot where it bears the slot's name as those of this configuration bear theirs, is of this
/// very server (`system_identifier`), database and slot, was stored under a configuration that named one of the slots
/// of this one too, and nobody has moved the slot beyond it. On a connection of its own. What fails is logged: it is no
/// reason not to stream.
void drop_forgotten_slots(const DatabaseOptions& options, const std::string& system_identifier, const StopRequest& stop,
                          const log::Logger& logger);

}  // namespace walcat
