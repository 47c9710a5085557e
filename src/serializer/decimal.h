#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "line_writer.h"

namespace walcat {

/// A decimal number's digits, views into its text.
struct Decimal {
  bool is_negative = false;
  std::string_view whole;
  std::string_view fraction;

  /// The same without zeros at the end of the fraction.
  Decimal stripped() const;
};

/// `-12.50`; nothing if `text` is no number, or has an exponent.
std::optional<Decimal> parse_decimal(std::string_view text);

/// Writes numbers of any length as Kafka Connect does: base64 of the big-endian two's complement of the number without
/// its point.
///
/// Threads: stage-bound; its memory serves the next number.
class UnscaledWriter {
 public:
  /// Writes `decimal` at `scale`, which has at least the digits of its fraction.
  void write(LineWriter& out, const Decimal& decimal, std::size_t scale);

 private:
  void read_magnitude(const Decimal& decimal, std::size_t zeros);
  void read_digits(std::string_view digits);
  void take_digit(unsigned digit);
  void flush_digits();
  // Multiplies the magnitude and adds; both below 2^64.
  void multiply_add(std::uint64_t factor, std::uint64_t summand);
  void subtract_one();
  std::size_t bit_count() const;
  unsigned char byte(std::size_t place) const;

  // The magnitude, lowest limb first, without zero limbs at its end; digits that are not yet in it.
  std::vector<std::uint64_t> limbs_;
  std::uint64_t pending_ = 0;
  std::uint64_t pending_factor_ = 1;
  std::string bytes_;
};

}  // namespace walcat
