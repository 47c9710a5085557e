#include "decimal.h"

#include <algorithm>
#include <bit>

namespace walcat {

namespace {

__extension__ using DoubleLimb = unsigned __int128;

constexpr std::uint64_t kPendingMost = 10'000'000'000'000'000'000U;  // 10^19, the largest power of ten of a limb

std::size_t digit_count(std::string_view text) {
  const std::size_t end = text.find_first_not_of("0123456789");
  return end == std::string_view::npos ? text.size() : end;
}

}  // namespace

Decimal Decimal::stripped() const {
  const std::size_t last = fraction.find_last_not_of('0');
  return {is_negative, whole, fraction.substr(0, last == std::string_view::npos ? 0 : last + 1)};
}

std::optional<Decimal> parse_decimal(std::string_view text) {
  Decimal decimal;
  decimal.is_negative = text.starts_with('-');
  if (decimal.is_negative) text.remove_prefix(1);
  decimal.whole = text.substr(0, digit_count(text));
  text.remove_prefix(decimal.whole.size());
  if (decimal.whole.empty()) return std::nullopt;
  if (text.empty()) return decimal;
  decimal.fraction = text.substr(1);
  const bool is_fraction =
      text[0] == '.' && text.size() > 1 && digit_count(decimal.fraction) == decimal.fraction.size();
  return is_fraction ? std::optional(decimal) : std::nullopt;
}

// The two's complement of -n is the complement of n - 1; one bit more than the magnitude has is the sign.
void UnscaledWriter::write(LineWriter& out, const Decimal& decimal, std::size_t scale) {
  read_magnitude(decimal, scale - decimal.fraction.size());
  const bool is_negative = decimal.is_negative && !limbs_.empty();
  if (is_negative) subtract_one();
  const unsigned flip = is_negative ? 0xFF : 0;
  bytes_.clear();
  for (std::size_t place = bit_count() / 8 + 1; place-- > 0;) {
    bytes_.push_back(static_cast<char>(byte(place) ^ flip));
  }
  out.base64(bytes_);
}

void UnscaledWriter::read_magnitude(const Decimal& decimal, std::size_t zeros) {
  limbs_.clear();
  pending_ = 0;
  pending_factor_ = 1;
  read_digits(decimal.whole);
  read_digits(decimal.fraction);
  for (; zeros > 0; --zeros) take_digit(0);
  flush_digits();
}

void UnscaledWriter::read_digits(std::string_view digits) {
  for (const char digit : digits) take_digit(static_cast<unsigned>(digit - '0'));
}

void UnscaledWriter::take_digit(unsigned digit) {
  pending_ = pending_ * 10 + digit;
  pending_factor_ *= 10;
  if (pending_factor_ == kPendingMost) flush_digits();
}

void UnscaledWriter::flush_digits() {
  multiply_add(pending_factor_, pending_);
  pending_ = 0;
  pending_factor_ = 1;
}

void UnscaledWriter::multiply_add(std::uint64_t factor, std::uint64_t summand) {
  std::uint64_t carry = summand;
  for (std::uint64_t& limb : limbs_) {
    const DoubleLimb product = DoubleLimb{limb} * factor + carry;
    limb = static_cast<std::uint64_t>(product);
    carry = static_cast<std::uint64_t>(product >> 64);
  }
  if (carry != 0) limbs_.push_back(carry);
}

void UnscaledWriter::subtract_one() {
  for (std::uint64_t& limb : limbs_) {
    if (limb-- != 0) break;
  }
  if (limbs_.back() == 0) limbs_.pop_back();
}

std::size_t UnscaledWriter::bit_count() const {
  return limbs_.empty() ? 0 : 64 * (limbs_.size() - 1) + static_cast<std::size_t>(std::bit_width(limbs_.back()));
}

unsigned char UnscaledWriter::byte(std::size_t place) const {
  const std::size_t limb = place / 8;
  return limb < limbs_.size() ? static_cast<unsigned char>(limbs_[limb] >> (8 * (place % 8))) : 0;
}

}  // namespace walcat
