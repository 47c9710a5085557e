#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walcat {

/// A position in the write-ahead log: a byte offset, printed as two hexadecimal halves (`16/B374D848`).
///
/// Zero is PostgreSQL's InvalidXLogRecPtr and means "no position".
/// Source: PostgreSQL manual, pg_lsn type.
struct Lsn {
  std::uint64_t value = 0;

  constexpr auto operator<=>(const Lsn&) const = default;
  constexpr explicit operator bool() const { return value != 0; }

  /// Returns the form that PostgreSQL prints, such as `0/15E4C58`.
  std::string to_string() const;

  /// Reads `X/X`, each half one to eight hexadecimal digits; nothing else may stand around it.
  static std::optional<Lsn> parse(std::string_view text);
};

}  // namespace walcat
