#include "numeric_values.h"

#include <array>
#include <charconv>
#include <system_error>

#include "decimal.h"
#include "short_text.h"

namespace walcat {

namespace {

// More would be no text of a type, and numbers that JSON parsers refuse.
constexpr std::size_t kIntegerDigitsMost = 19;
constexpr std::size_t kExponentDigitsMost = 3;

// Takes digits off the front; false if there are none.
bool take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && text[count] >= '0' && text[count] <= '9') ++count;
  text.remove_prefix(count);
  return count > 0;
}

bool take_one_of(std::string_view& text, char a, char b) {
  if (text.empty() || (text[0] != a && text[0] != b)) return false;
  text.remove_prefix(1);
  return true;
}

// Takes `-`, digits, and a fraction off the front.
bool take_decimal(std::string_view& text) {
  take_one_of(text, '-', '-');
  const bool has_zero_first = text.starts_with('0');
  const std::size_t before = text.size();
  if (!take_digits(text) || (has_zero_first && before - text.size() > 1)) return false;
  return !take_one_of(text, '.', '.') || take_digits(text);
}

bool take_exponent(std::string_view& text) {
  if (!take_one_of(text, 'e', 'E')) return true;
  take_one_of(text, '+', '-');
  return text.size() <= kExponentDigitsMost && take_digits(text);
}

void write_double(LineWriter& out, double value) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  ShortText json;
  json.add({digits.data(), static_cast<std::size_t>(end - digits.data())});
  if (json.view().find_first_of(".e") == std::string_view::npos) json.add(".0");
  out.raw(json.view());
}

// A numeric has no exponent, so digits before its point tell too large a value, which no double comes near, from too
// small a one.
bool write_beyond_double(LineWriter& out, const Decimal& decimal) {
  const bool is_large = decimal.whole.find_first_not_of('0') != std::string_view::npos;
  if (!is_large) out.literal("0.0");
  return !is_large;
}

class FixedDecimalWriter final : public CellWriter {
 public:
  explicit FixedDecimalWriter(std::size_t scale) : scale_(scale) {}

  bool write(LineWriter& out, std::string_view text) const override {
    auto decimal = parse_decimal(text);
    if (!decimal) return false;
    if (decimal->fraction.size() > scale_) decimal = decimal->stripped();
    if (decimal->fraction.size() > scale_) return false;
    unscaled_.write(out, *decimal, scale_);
    return true;
  }

 private:
  std::size_t scale_;
  mutable UnscaledWriter unscaled_;
};

class VariableDecimalWriter final : public CellWriter {
 public:
  bool write(LineWriter& out, std::string_view text) const override {
    auto decimal = parse_decimal(text);
    if (!decimal) return false;
    decimal = decimal->stripped();
    out.literal("{\"scale\":");
    out.number(std::uint64_t{decimal->fraction.size()});
    out.literal(",\"value\":");
    unscaled_.write(out, *decimal, decimal->fraction.size());
    out.literal("}");
    return true;
  }

 private:
  mutable UnscaledWriter unscaled_;
};

struct Money {
  bool is_negative = false;
  std::uint64_t cents = 0;
};

// `-$1,234.11`; 17 digits and two are all there are in 64 bits.
std::optional<Money> parse_money(std::string_view text) {
  static constexpr int kDigitsMost = 19;
  Money money;
  money.is_negative = take_one_of(text, '-', '-');
  if (!take_one_of(text, '$', '$') || text.size() < 4 || text[text.size() - 3] != '.') return std::nullopt;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == ',' || i == text.size() - 3) continue;
    if (c < '0' || c > '9' || ++digits > kDigitsMost) return std::nullopt;
    money.cents = money.cents * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return money;
}

void add_money(ShortText& to, const Money& money) {
  if (money.is_negative) to.add('-');
  to.number(money.cents / 100).add('.').number(money.cents % 100, 2);
}

std::uint64_t rounded(std::uint64_t value, std::uint64_t unit) {
  return value / unit + (value % unit >= (unit + 1) / 2 ? 1 : 0);
}

class MoneyDecimalWriter final : public CellWriter {
 public:
  explicit MoneyDecimalWriter(int scale)
      : unit_(scale >= 2 ? 1 : (scale == 1 ? 10 : 100)), zeros_(scale > 2 ? static_cast<std::size_t>(scale - 2) : 0) {}

  bool write(LineWriter& out, std::string_view text) const override {
    const auto money = parse_money(text);
    if (!money) return false;
    ShortText digits;
    digits.number(rounded(money->cents, unit_));
    unscaled_.write(out, {money->is_negative, digits.view(), {}}, zeros_);
    return true;
  }

 private:
  // Cents in a unit of the last digit, or zeros behind the cents.
  std::uint64_t unit_;
  std::size_t zeros_;
  mutable UnscaledWriter unscaled_;
};

}  // namespace

bool is_json_number(std::string_view text) { return take_decimal(text) && take_exponent(text) && text.empty(); }

bool write_boolean(LineWriter& out, std::string_view text) {
  if (text == "t") {
    out.literal("true");
  } else if (text == "f") {
    out.literal("false");
  } else {
    return false;
  }
  return true;
}

bool write_integer(LineWriter& out, std::string_view text) {
  std::string_view rest = text;
  take_one_of(rest, '-', '-');
  if (rest.size() > kIntegerDigitsMost || (rest.size() > 1 && rest[0] == '0')) return false;
  if (!take_digits(rest) || !rest.empty()) return false;
  out.raw(text);
  return true;
}

bool write_float(LineWriter& out, std::string_view text) {
  if (!is_json_number(text)) return false;
  out.raw(text);
  if (text.find_first_of(".eE") == std::string_view::npos) out.literal(".0");
  return true;
}

bool write_numeric_double(LineWriter& out, std::string_view text) {
  const auto decimal = parse_decimal(text);
  if (!decimal) return false;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return write_beyond_double(out, *decimal);
  write_double(out, value);
  return true;
}

bool write_numeric_string(LineWriter& out, std::string_view text) {
  if (text == "NaN") {
    out.literal("\"NAN\"");
  } else if (text == "Infinity") {
    out.literal("\"POSITIVE_INFINITY\"");
  } else if (text == "-Infinity") {
    out.literal("\"NEGATIVE_INFINITY\"");
  } else {
    out.string(text);
  }
  return true;
}

std::unique_ptr<const CellWriter> fixed_decimal_writer(std::size_t scale) {
  return std::make_unique<const FixedDecimalWriter>(scale);
}

std::unique_ptr<const CellWriter> variable_decimal_writer() { return std::make_unique<const VariableDecimalWriter>(); }

bool write_money_string(LineWriter& out, std::string_view text) {
  const auto money = parse_money(text);
  if (!money) return false;
  ShortText json;
  json.add('"');
  add_money(json, *money);
  out.raw(json.add('"').view());
  return true;
}

bool write_money_double(LineWriter& out, std::string_view text) {
  const auto money = parse_money(text);
  if (!money) return false;
  ShortText digits;
  add_money(digits, *money);
  return write_numeric_double(out, digits.view());
}

std::unique_ptr<const CellWriter> money_decimal_writer(int scale) {
  return std::make_unique<const MoneyDecimalWriter>(scale);
}

}  // namespace walcat
