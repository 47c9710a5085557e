#include "walcat/reader/forgotten_slots.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "walcat/base/shortened_list.h"
#include "walcat/base/utf8.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"

namespace walcat {

namespace {

// Whether one configuration had both: two configurations may keep their offset files in one folder, and what the other
// one follows is not forgotten.
bool share_slot(const std::vector<std::string>& then, const std::vector<std::string>& now) {
  return std::any_of(then.begin(), then.end(),
                     [&](const std::string& slot) { return std::find(now.begin(), now.end(), slot) != now.end(); });
}

// Whether the offset file is of this very slot, and was ours.
bool proves(const OffsetFile& file, const InactiveSlot& slot, const DatabaseOptions& options,
            const std::string& system_identifier, const std::string& database, const log::Logger& logger) {
  const auto known = file.load();
  if (!known.is_ok()) {
    logger.warning("inactive_slot_check: offset file {} can't be read, so slot {} is left", file.path(), slot.name);
    return false;
  }
  if (!*known) return false;
  const Offset& offset = **known;
  if (offset.system_identifier != system_identifier || offset.database != database || offset.slot != slot.name) {
    return false;
  }
  if (!share_slot(offset.configured_slots, options.configured_slots)) return false;
  if (slot.confirmed_flush <= offset.done.position) return true;
  // We confirm nothing before it is stored: somebody goes on with it elsewhere, or it is another slot by now.
  logger.warning("inactive_slot_check: slot {} stands at {}, beyond offset file {} ({}), so it is left", slot.name,
                 slot.confirmed_flush.to_string(), file.path(), offset.done.position.to_string());
  return false;
}

void drop(Connection& connection, const InactiveSlot& slot, const OffsetFile& file, const log::Logger& logger) {
  logger.warning(
      "inactive_slot_check: dropping slot {}, which retains {}: no entry of the configuration names it, and offset "
      "file {} is of this very slot; the file stays, so an entry that names the slot again finds a gap",
      slot.name, slot.retained, file.path());
  const auto dropped = drop_inactive_slot(connection, slot);
  if (!dropped.is_ok()) {
    logger.warning("inactive_slot_check: slot {} was not dropped: {}", slot.name, dropped.status().message());
  } else if (!*dropped) {
    logger.warning("inactive_slot_check: slot {} was not dropped: it is in use, or gone", slot.name);
  }
}

Status look(const DatabaseOptions& options, const std::string& system_identifier, const StopRequest& stop,
            const log::Logger& logger) {
  auto connection =
      Connection::open({.conn_str = options.conn_str, .replication = false, .stop = &stop, .logger = logger});
  if (!connection.is_ok()) return connection.status();
  // Another of several hosts may have answered.
  const auto answering = system_identifier_of(**connection);
  if (!answering.is_ok()) return answering.status();
  if (*answering != system_identifier) return {StatusCode::kUnavailable, "another server has answered"};
  const auto slots = inactive_slots(**connection);
  if (!slots.is_ok()) return slots.status();
  std::vector<std::string> left;
  for (const InactiveSlot& slot : *slots) {
    const auto& named = options.configured_slots;
    if (std::find(named.begin(), named.end(), slot.name) != named.end()) continue;
    const OffsetFile file(offset_path_for_slot(options.offset_base, slot.name));
    if (slot.plugin == "pgoutput" &&
        proves(file, slot, options, system_identifier, with_replacements((*connection)->database()), logger)) {
      drop(**connection, slot, file, logger);
    } else {
      left.push_back(fmt::format("{} ({}, {})", slot.name, slot.plugin, slot.retained));
    }
  }
  if (!left.empty()) {
    logger.info("inactive_slot_check: left, as no offset file proves them ours: {}", shortened_list(left));
  }
  return Status::ok();
}

}  // namespace

void drop_forgotten_slots(const DatabaseOptions& options, const std::string& system_identifier, const StopRequest& stop,
                          const log::Logger& logger) {
  const Status looked = look(options, system_identifier, stop, logger);
  if (looked.is_ok() || looked.code() == StatusCode::kStopped) return;
  logger.warning("inactive_slot_check: the slots were not looked at: {}", looked.message());
}

}  // namespace walcat
