#pragma once

#include <libpq-fe.h>

#include <string>
#include <string_view>
#include <vector>

namespace walcat {

/// What stands in place of a secret.
inline constexpr std::string_view kMask = "********";

/// Whether values of this setting of libpq's are secret: a password, or what a password can be replaced by.
bool is_secret(const PQconninfoOption& option);

/// Passwords and other secrets of a connection, wherever libpq has them from: the connection string, the environment, a
/// service file, a password file. A server that quotes one in an error, or something in between, does not put it into a
/// log.
///
/// Secrets of less than four bytes are passed over, and those that are the role's or the database's name as well: both
/// would hide what messages are about.
class Secrets {
 public:
  /// Those that `connection` has now.
  explicit Secrets(const PGconn* connection) { add(connection); }

  /// Also those that `connection` has now. A password file may have another one for each host.
  void add(const PGconn* connection);

  /// `text` with a mask in place of each secret. Takes time linear in the text.
  std::string masked(std::string_view text) const;

 private:
  void add(const char* secret, const PGconn* connection);

  /// Longest first, so that of one that holds another nothing is left.
  std::vector<std::string> secrets_;
};

}  // namespace walcat
