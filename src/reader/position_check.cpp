#include "position_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

namespace walcat {

namespace {

Status gap(std::string what) { return Status(StatusCode::kGap, std::move(what)).with_kind(FaultKind::kSlot); }

// A promoted standby goes on with the history up to the point where it left the old timeline; what we have beyond that
// it never had. But where its own slot was confirmed beyond that point, it was followed through its promotion, which a
// stream does not tell of.
Status check_timeline(Connection& connection, std::uint32_t known, Lsn read, Lsn confirmed,
                      const ServerIdentity& server, const OffsetFile& file, const log::Logger& logger) {
  if (known == server.timeline) return Status::ok();
  const std::string differs = fmt::format("the server's timeline is {}, but offset file {} was written for timeline {}",
                                          server.timeline, file.path(), known);
  if (server.timeline < known) return gap(differs + "; the server was left behind by a promotion, or restored");
  const auto history = timeline_history(connection, server.timeline);
  if (history.status().is_transient()) return history.status();
  if (!history.is_ok())
    return gap(fmt::format("{}, whose history is not known: {}", differs, history.status().message()));
  const auto left = std::find_if(history->begin(), history->end(),
                                 [&](const TimelineSwitch& passed) { return passed.timeline == known; });
  if (left == history->end()) return gap(differs + ", which is not in the server's history");
  if (read > left->position && confirmed <= left->position) {
    return gap(fmt::format("{}, which the server left at {}; what was read up to {} never reached it", differs,
                           left->position.to_string(), read.to_string()));
  }
  logger.info("the server was promoted: timeline {} ended at {}, this is timeline {}; nothing is missing", known,
              left->position.to_string(), server.timeline);
  return Status::ok();
}

// The offset must speak of this very server, history, database and slot.
Status check_identity(Connection& connection, const Offset& known, Lsn read, Lsn confirmed,
                      const ServerIdentity& server, const DatabaseOptions& options, const OffsetFile& file,
                      const log::Logger& logger) {
  const auto differs = [&](const char* what, const std::string& expected, const std::string& seen) {
    return gap(fmt::format("{} is {}, but offset file {} was written for {}", what, seen, file.path(), expected));
  };
  if (known.system_identifier != server.system_identifier) {
    return differs("the server's system identifier", known.system_identifier, server.system_identifier);
  }
  if (known.database != server.database) return differs("the database", known.database, server.database);
  if (known.slot != options.slot_name) return differs("the slot", known.slot, options.slot_name);
  return check_timeline(connection, known.timeline, read, confirmed, server, file, logger);
}

Status check_server_position(Connection& connection, Lsn read, const ServerIdentity& server, const OffsetFile& file) {
  if (read <= server.flush_position) return Status::ok();
  const auto in_recovery = is_in_recovery(connection);
  if (!in_recovery.is_ok()) return in_recovery.status();
  if (*in_recovery) {
    return {StatusCode::kWaiting, fmt::format("the standby has replayed up to {}; waiting until it is at {} again",
                                              server.flush_position.to_string(), read.to_string())};
  }
  return gap(
      fmt::format("the server has written up to {}, but offset file {} says {}; it is another server, or was "
                  "restored from an older backup",
                  server.flush_position.to_string(), file.path(), read.to_string()));
}

}  // namespace

Status check_slot(const SlotState& slot, const ServerIdentity& server, const DatabaseOptions& options) {
  const std::string& name = options.slot_name;
  // The server shows a logical slot a moment before it has its plugin.
  const bool is_begun = slot.plugin.empty() && !slot.database.empty() && slot.active_pid != 0;
  if (slot.plugin != "pgoutput" && !is_begun) {
    return {StatusCode::kRefused, fmt::format("slot {} uses {}, pgoutput is needed; hint: choose another slot_name",
                                              name, slot.plugin.empty() ? "no plugin (physical)" : slot.plugin)};
  }
  if (slot.database != server.database) {
    return {StatusCode::kRefused, fmt::format("slot {} belongs to database {}, not {}; hint: choose another slot_name",
                                              name, slot.database, server.database)};
  }
  if (slot.active_pid != 0) {
    return Status(StatusCode::kWaiting,
                  fmt::format("slot {} is active, in use by process {} of the server; waiting until it is free", name,
                              slot.active_pid))
        .with_kind(FaultKind::kSlot);
  }
  return Status::ok();
}

Status check_snapshot_slot(Connection& connection, const std::string& name) {
  const auto found = find_slot(connection, name);
  if (!found.is_ok()) return found.status();
  if (!*found) return Status::ok();
  const SlotState& slot = **found;
  if (!slot.temporary) {
    return {StatusCode::kRefused,
            fmt::format("slot {0} exists, and the snapshot needs a temporary one of that name; hint: choose another "
                        "slot_name, or SELECT pg_drop_replication_slot('{0}') if nobody needs it",
                        name)};
  }
  return Status(StatusCode::kWaiting,
                fmt::format("temporary slot {0} is active, made for an earlier snapshot by process {1} of the server; "
                            "waiting until that has ended, which it does after the transactions it waits for; hint: "
                            "SELECT pg_terminate_backend({1}) ends it at once, if its walcat has gone",
                            name, slot.active_pid))
      .with_kind(FaultKind::kSlot);
}

Status check_slot_whole(Connection& connection, const SlotState& slot, const ServerIdentity& server,
                        const DatabaseOptions& options) {
  if (slot.lost) {
    return gap(fmt::format("slot {} was invalidated: {}", options.slot_name,
                           slot.lost_reason.empty() || slot.lost_reason == "wal_removed"
                               ? "the server has removed the log it needs (max_slot_wal_keep_size)"
                               : slot.lost_reason));
  }
  if (slot.confirmed_flush <= server.flush_position) return Status::ok();
  const auto in_recovery = is_in_recovery(connection);
  if (!in_recovery.is_ok()) return in_recovery.status();
  // A standby that has just started comes as far again.
  if (*in_recovery) return Status::ok();
  return gap(
      fmt::format("slot {} stands at {}, but the server has written only up to {}: what comes until then would "
                  "be skipped",
                  options.slot_name, slot.confirmed_flush.to_string(), server.flush_position.to_string()));
}

Status check_position(Connection& connection, const Offset& known, Lsn read, const std::optional<SlotState>& slot,
                      const ServerIdentity& server, const DatabaseOptions& options, const OffsetFile& file,
                      const log::Logger& logger) {
  const Lsn confirmed = slot ? slot->confirmed_flush : Lsn{};
  Status same = check_identity(connection, known, read, confirmed, server, options, file, logger);
  if (same.is_ok()) same = check_server_position(connection, read, server, file);
  if (!same.is_ok()) return same;
  if (!slot) {
    return gap(fmt::format("slot {} does not exist, but offset file {} says it was read up to {}", options.slot_name,
                           file.path(), known.done.position.to_string()));
  }
  if (const Status whole = check_slot_whole(connection, *slot, server, options); !whole.is_ok()) return whole;
  if (slot->confirmed_flush <= known.done.position) return Status::ok();
  return gap(
      fmt::format("slot {} stands at {}, but offset file {} only at {}: somebody else advanced or recreated "
                  "the slot",
                  options.slot_name, slot->confirmed_flush.to_string(), file.path(), known.done.position.to_string()));
}

}  // namespace walcat
