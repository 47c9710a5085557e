#pragma once

#include <optional>
#include <string>

#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/options.h"

namespace walcat {

/// How far this run had come when its last session ended.
struct LastSession {
  Offset written;
  /// The furthest position that was read, at or beyond what is written: the rest is on the street still.
  Lsn read;
};

/// Whether the slot can be read by us at all, now.
///
/// Errors: kRefused for a slot of another kind; kWaiting while somebody reads it.
Status check_slot(const SlotState& slot, const ServerIdentity& server, const DatabaseOptions& options);

/// Whether the temporary slot `name`, which a snapshot beside an existing slot begins at, can be made.
///
/// Errors: kWaiting while a session has one of that name, which is so until it ends; kRefused for a permanent slot.
Status check_snapshot_slot(Connection& connection, const std::string& name);

/// Whether the slot still leads to all that follows what it has confirmed.
///
/// Errors: kGap if it was invalidated, or was told to skip what is not written yet.
Status check_slot_whole(Connection& connection, const SlotState& slot, const ServerIdentity& server,
                        const DatabaseOptions& options);

/// Compares the slot, which is the authority, with what is known, which is the evidence: server, history, database,
/// slot and positions. `read`: how far was read at the most.
///
/// Errors: kGap with what differs; kWaiting while a standby has not yet come as far.
Status check_position(Connection& connection, const Offset& known, Lsn read, const std::optional<SlotState>& slot,
                      const ServerIdentity& server, const DatabaseOptions& options, const OffsetFile& file,
                      const log::Logger& logger);

}  // namespace walcat
