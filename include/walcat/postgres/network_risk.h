#pragma once

#include <optional>
#include <string>

namespace walcat {

/// What a connection string leaves open to whoever is on the network between walcat and a server.
struct NetworkRisk {
  /// For a sentence: what can be done there, and the way out.
  std::string text;
  /// Whether somebody has decided so: an `sslmode` other than libpq's default.
  bool is_chosen = false;
};

/// Looks at what libpq would do: the string, service files and the environment together. Does not connect.
///
/// Nothing where nobody is in between (a socket of the file system, 127.0.0.0/8, ::1, localhost), or where libpq knows
/// that it speaks to the server: sslmode=verify-full, channel_binding=require or gssencmode=require. Nothing either for
/// a string that libpq refuses.
/// Threads: thread-safe.
std::optional<NetworkRisk> network_risk(const std::string& conn_str);

}  // namespace walcat
