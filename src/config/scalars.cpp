#include "scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "expansion.h"
#include "walcat/base/json_string.h"

namespace walcat::config {

namespace {

struct Unit {
  std::string_view name;
  std::uint64_t size;
};

// Smallest first; printing takes the last that divides.
constexpr std::array<Unit, 4> kDurationUnits{{{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 4> kPrintedByteUnits{{{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}}};
constexpr std::array<Unit, 9> kByteUnits{{{"", 1},
                                          {"B", 1},
                                          {"kB", 1'000},
                                          {"KB", 1'000},
                                          {"MB", 1'000'000},
                                          {"GB", 1'000'000'000},
                                          {"KiB", 1 << 10},
                                          {"MiB", 1 << 20},
                                          {"GiB", 1 << 30}}};

template <std::size_t kCount>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, kCount>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  if (!number) return std::nullopt;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(digits)) continue;
    if (*number > std::numeric_limits<std::int64_t>::max() / unit.size) return std::nullopt;
    return *number * unit.size;
  }
  return std::nullopt;
}

template <std::size_t kCount>
std::string print_with_unit(std::uint64_t value, const std::array<Unit, kCount>& units, const Unit& of_zero) {
  Unit best = value == 0 ? of_zero : units.front();
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.size == 0) best = unit;
  }
  return fmt::format("{}{}", value / best.size, best.name);
}

}  // namespace

std::optional<std::uint64_t> parse_integer(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const auto value = parse_with_unit(text, kDurationUnits);
  if (!value) return std::nullopt;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value));
}

std::optional<std::uint64_t> parse_bytes(std::string_view text) { return parse_with_unit(text, kByteUnits); }

std::string print_duration(std::chrono::milliseconds duration) {
  return print_with_unit(static_cast<std::uint64_t>(duration.count()), kDurationUnits, kDurationUnits[1]);
}

std::string print_bytes(std::uint64_t bytes) {
  return print_with_unit(bytes, kPrintedByteUnits, kPrintedByteUnits.front());
}

std::string print_number(double number) {
  const std::string text = fmt::format("{}", number);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

std::string print_text(std::string_view text) {
  // YAML takes JSON's escapes.
  return json_string(escape_dollars(text));
}

}  // namespace walcat::config
