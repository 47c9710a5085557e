#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Which questions about incremental snapshots somebody stands for who is entitled to ask. Every role can write a
/// message, and a message does not tell who wrote it. So whoever asks holds, until the answer comes, four advisory
/// locks that spell the SHA-256 digest of the question: nobody can hold them for another session, no setting can make a
/// session hold them, and the server says whose session it is. Another question has another digest.
///
/// Entitled is a session of the role that walcat connects as, or of one that can become it: a member, a superuser.
/// Threads: a value of one thread.
/// Source: PostgreSQL manual, view-pg-locks, functions-advisory-locks, functions-info (pg_has_role).
class Vouchers {
 public:
  /// What `connection`, which is walcat's, sees of such sessions in its database at this moment.
  static Result<Vouchers> look(Connection& connection);

  /// The locks that vouch for a digest of 64 hexadecimal digits, as pg_advisory_lock(bigint) takes them.
  using Locks = std::array<std::int64_t, 4>;
  static Locks locks_of(std::string_view digest);

  /// A session, by its process, holds a lock.
  void add(const std::string& session, std::int64_t lock) { held_[session].insert(lock); }
  /// Leaves what `other` has seen too.
  void keep(const Vouchers& other);
  /// Whether one session holds all four.
  bool vouch_for(std::string_view digest) const;

 private:
  std::map<std::string, std::set<std::int64_t>> held_;
};

}  // namespace walcat
