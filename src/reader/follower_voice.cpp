#include "follower_voice.h"

#include <fmt/format.h>

namespace walcat {

Status FollowerVoice::learn() {
  if (!role_.empty()) return Status::ok();
  const auto rows = connection_.query(
      fmt::format("SELECT r.oid, r.rolname, pg_catalog.pg_has_role(r.oid, '{}') FROM pg_catalog.pg_replication_slots s "
                  "JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid JOIN pg_catalog.pg_roles r ON r.oid = "
                  "a.usesysid WHERE s.slot_name = $1",
                  connection_.server_version() >= 160000 ? "SET" : "MEMBER"),
      {slot_});
  if (!rows.is_ok()) return rows.status();
  if (rows->empty()) return Status::ok();
  const Row& row = rows->front();
  if (row[2] != "t") {
    return {StatusCode::kRefused,
            fmt::format("role {} may not ask the walcat that follows slot {}, which connects as {}; hint: ask as that "
                        "role, or as a member of it",
                        connection_.user(), slot_, row[1].value_or(""))};
  }
  role_ = row[0].value_or("");
  return Status::ok();
}

void FollowerVoice::forget() {
  role_.clear();
  known_.clear();
}

Result<bool> FollowerVoice::is_heard_from(int pid) {
  if (known_.contains(pid)) return true;
  if (Status learned = learn(); !learned.is_ok()) return learned;
  if (role_.empty()) return false;
  const auto rows = connection_.query(
      "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::pg_catalog.int4 AND usesysid = "
      "$2::pg_catalog.oid",
      {std::to_string(pid), role_});
  if (!rows.is_ok()) return rows.status();
  if (!rows->empty()) known_.insert(pid);
  return !rows->empty();
}

}  // namespace walcat
