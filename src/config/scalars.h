#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace walcat::config {

/// `0` or digits without a leading zero (`010` is 8 to some readers and 10 to others), within 64 bits.
std::optional<std::uint64_t> parse_integer(std::string_view text);

/// A finite decimal number, such as `2` or `1.5`.
std::optional<double> parse_number(std::string_view text);

/// An integer and one of `ms s m h`.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// An integer of bytes, alone or with one of `B kB KB MB GB KiB MiB GiB`.
std::optional<std::uint64_t> parse_bytes(std::string_view text);

/// The inverse, in the largest unit that is exact.
std::string print_duration(std::chrono::milliseconds duration);
std::string print_bytes(std::uint64_t bytes);
std::string print_number(double number);

/// `text` as a double-quoted YAML scalar that reads back as `text`, environment expansion included.
std::string print_text(std::string_view text);

}  // namespace walcat::config
