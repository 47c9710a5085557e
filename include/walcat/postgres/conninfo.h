#pragma once

#include <string>
#include <vector>

#include "walcat/base/status.h"

namespace walcat {

/// The parts of a connection string that name a server and a database, libpq's defaults filled in where known.
struct ConnectionTarget {
  /// Host name, address or socket folder; empty means libpq's own socket folder.
  std::string host;
  std::string port;
  std::string user;
  std::string database;
  /// The string's `service`. libpq alone reads service files, so what is not in the string itself stays empty then.
  std::string service;
};

/// Reads a libpq connection string (URI or key=value), without connecting.
///
/// Errors: kConfiguration with libpq's own words, or where libpq would take a part of a password for a host, a port or
///     a database, which it looks up, sends and quotes; the words never hold the password.
Result<ConnectionTarget> parse_conninfo(const std::string& conn_str);

/// `conn_str` in the same form with passwords and other secrets replaced by `********`.
///
/// Meant for broken strings as well: whatever may be part of a password is masked, so a little more than it may go.
std::string masked_conninfo(const std::string& conn_str);

/// The version of libpq in use, such as `15.20`.
std::string libpq_version();

}  // namespace walcat
