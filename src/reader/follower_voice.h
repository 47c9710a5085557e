#pragma once

#include <set>
#include <string>

#include "walcat/base/status.h"
#include "walcat/postgres/connection.h"

namespace walcat {

/// Tells the news of whoever follows a slot from what others say: the server says which process has notified, and
/// whose session that is. Whoever can log in as the follower's role is the follower to us.
///
/// Threads: a value of one thread.
class FollowerVoice {
 public:
  /// `connection` is borrowed.
  FollowerVoice(Connection& connection, std::string slot) : connection_(connection), slot_(std::move(slot)) {}

  /// Learns the follower's role, if the slot is followed now and the role is not known yet.
  ///
  /// Errors: kRefused if the follower would refuse what this session asks.
  Status learn();
  /// Another walcat may have taken over.
  void forget();
  /// Whether process `pid` of the server serves a session of the follower's role, or did when it was asked first.
  Result<bool> is_heard_from(int pid);

 private:
  Connection& connection_;
  const std::string slot_;
  /// OID; empty: not known.
  std::string role_;
  std::set<int> known_;
};

}  // namespace walcat
