#include "walcat/reader/vouchers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace walcat {

namespace {

constexpr std::size_t kDigestDigits = 64;
constexpr std::size_t kLockDigits = 16;

// The role by which a session has logged in counts, whatever it has SET since. From 16 on there are members who can
// neither become the role nor use its rights. A session that reads, analyzes or reindexes a table runs code of the
// table's owner, which can take locks that stay (postgres/owners_code.h). So no session counts that has a table locked,
// or a transaction open that may have failed; and a session says by its name that it asks: what such code sets ends
// with the statement, where it does not have all of the session's rights anyway. A look may miss a lock that is taken
// meanwhile; who counts is seen twice (Vouchers::look), and who has held its locks since the first look had the table
// locked when the second began.
constexpr const char* kVouchingSessions =
    "WITH held AS (SELECT * FROM pg_catalog.pg_locks), vouching AS (SELECT a.pid, d.oid FROM "
    "pg_catalog.pg_stat_activity a JOIN pg_catalog.pg_database d ON d.oid = a.datid WHERE d.datname = "
    "pg_catalog.current_database() AND pg_catalog.pg_has_role(a.usesysid, current_user, '{}') AND "
    "pg_catalog.left(a.application_name, 15) = 'walcat snapshot' AND "
    "pg_catalog.left(a.state, 19) IS DISTINCT FROM 'idle in transaction') SELECT v.pid, "
    "(l.classid::pg_catalog.int8 << 32) | l.objid::pg_catalog.int8 FROM vouching v JOIN held l ON l.pid = v.pid "
    "AND l.database = v.oid WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted AND "
    "l.mode = 'ExclusiveLock' AND NOT EXISTS (SELECT FROM held t WHERE t.pid = v.pid AND t.locktype = 'relation' "
    "AND t.relation >= {})";

// PostgreSQL's own tables have lower OIDs (FirstNormalObjectId).
constexpr int kFirstOfUsers = 16'384;

Result<Vouchers> look_once(Connection& connection) {
  const char* right = connection.server_version() >= 160000 ? "SET" : "MEMBER";
  const auto rows = connection.query<int, std::int64_t>(
      {"sessions that vouch for questions", fmt::format(fmt::runtime(kVouchingSessions), right, kFirstOfUsers)});
  if (!rows.is_ok()) return rows.status();
  Vouchers vouchers;
  for (const auto& [session, lock] : *rows) vouchers.add(std::to_string(session), lock);
  return vouchers;
}

}  // namespace

// The server looks at sessions and at locks one after the other, and a process may have served another session in
// between: what both looks show is true.
Result<Vouchers> Vouchers::look(Connection& connection) {
  auto first = look_once(connection);
  if (!first.is_ok()) return first;
  const auto second = look_once(connection);
  if (!second.is_ok()) return second;
  first->keep(*second);
  return first;
}

Vouchers::Locks Vouchers::locks_of(std::string_view digest) {
  Locks locks{};
  for (std::size_t i = 0; i < locks.size(); ++i) {
    std::uint64_t bits = 0;
    const std::string_view digits = digest.substr(i * kLockDigits, kLockDigits);
    std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    locks[i] = static_cast<std::int64_t>(bits);
  }
  return locks;
}

void Vouchers::keep(const Vouchers& other) {
  for (auto& [session, locks] : held_) {
    const auto same = other.held_.find(session);
    std::erase_if(locks, [&](std::int64_t lock) { return same == other.held_.end() || !same->second.contains(lock); });
  }
}

bool Vouchers::vouch_for(std::string_view digest) const {
  if (digest.size() != kDigestDigits) return false;
  const Locks locks = locks_of(digest);
  return std::any_of(held_.begin(), held_.end(), [&](const auto& session) {
    return std::all_of(locks.begin(), locks.end(), [&](std::int64_t lock) { return session.second.contains(lock); });
  });
}

}  // namespace walcat
