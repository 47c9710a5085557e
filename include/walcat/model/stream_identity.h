#pragma once

#include <cstdint>
#include <string>

namespace walcat {

/// Which stream frames come from, and what must be known of it to read them elsewhere.
struct StreamIdentity {
  /// How logs name the database.
  std::string label;
  std::string system_identifier;
  std::uint32_t timeline = 0;
  std::string database;
  std::string slot;
  std::string publication;
  /// As libpq counts it: 150004 is 15.4.
  std::uint32_t server_version = 0;
  /// Whether the server vouches for every text being UTF-8.
  bool is_utf8 = true;

  bool operator==(const StreamIdentity&) const = default;
};

}  // namespace walcat
