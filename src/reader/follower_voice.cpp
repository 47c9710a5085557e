#include "follower_voice.h"

#include <fmt/format.h>

namespace walcat {

Status FollowerVoice::learn() {
  if (!role_.empty()) return Status::ok();
  const auto row = connection_.query_optional_row<std::uint32_t, std::string, bool>(
      {.subject = "the role that follows slot " + slot_,
       .sql =
           fmt::format("SELECT r.oid, r.rolname, pg_catalog.pg_has_role(r.oid, '{}') FROM "
                       "pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid "
                       "JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid WHERE s.slot_name = $1",
                       connection_.server_version() >= 160000 ? "SET" : "MEMBER"),
       .parameters = {slot_}});
  if (!row.is_ok()) return row.status();
  if (!*row) return Status::ok();
  const auto& [oid, name, may_ask] = **row;
  if (!may_ask) {
    return {StatusCode::kRefused,
            fmt::format("role {} may not ask the walcat that follows slot {}, which connects as {}; hint: ask as that "
                        "role, or as a member of it",
                        connection_.user(), slot_, name)};
  }
  role_ = std::to_string(oid);
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
  const auto row = connection_.query_optional_row<int>(
      {.subject = "the session that answers",
       .sql = "SELECT 1 FROM pg_catalog.pg_stat_activity WHERE pid = $1::pg_catalog.int4 AND usesysid = "
              "$2::pg_catalog.oid",
       .parameters = {std::to_string(pid), role_}});
  if (!row.is_ok()) return row.status();
  if (*row) known_.insert(pid);
  return row->has_value();
}

}  // namespace walcat
