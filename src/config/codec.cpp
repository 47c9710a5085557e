#include "codec.h"

#include <fmt/format.h>

#include <filesystem>

#include "faults.h"
#include "scalars.h"

namespace walcat::config {

namespace {

// The text of a scalar that was not put in quotes, for values that are no strings.
std::optional<std::string> unquoted(const Node& node) {
  const bool fits = node.kind == Node::Kind::kScalar && node.style != Node::Style::kQuoted;
  return fits ? std::optional(node.text) : std::nullopt;
}

template <typename V>
Codec<V> text_codec(std::string expected, std::function<bool(const std::string&)> fits) {
  Codec<V> codec;
  codec.expected = std::move(expected);
  codec.read = [fits = std::move(fits)](const Node& node) {
    auto text = text_of(node);
    return text && fits(*text) ? text : std::nullopt;
  };
  codec.print = [](const std::string& value) { return print_text(value); };
  return codec;
}

bool names_file(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return !name.empty() && name != "." && name != "..";
}

template <typename V>
std::optional<V> in_range(const std::optional<V>& value, const V& least, const V& most) {
  return value && *value >= least && *value <= most ? value : std::nullopt;
}

}  // namespace

std::optional<std::string> text_of(const Node& node) {
  if (node.kind != Node::Kind::kScalar) return std::nullopt;
  if (node.style == Node::Style::kPlain && (is_number(node.text) || is_boolean(node.text))) return std::nullopt;
  return node.text;
}

Codec<std::string> text(std::size_t shortest, std::size_t longest) {
  return text_codec<std::string>(
      fmt::format("text of {} to {} bytes, in quotes if it looks like a number", shortest, longest),
      [=](const std::string& text) { return text.size() >= shortest && text.size() <= longest; });
}

Codec<std::string> secret(std::size_t shortest, std::size_t longest) {
  Codec<std::string> codec = text(shortest, longest);
  codec.explain = [expected = codec.expected](const Node& node) {
    // What is no scalar holds no secret in its description.
    return node.kind == Node::Kind::kScalar ? "expected " + expected + " (what was found is not shown)" : std::string();
  };
  codec.print = [](const std::string&) { return std::string("\"********\""); };
  return codec;
}

Codec<TableName> table_name() {
  Codec<TableName> codec;
  codec.expected = "schema.table; a name with capitals or dots like '\"My.Schema\".orders'";
  codec.read = [](const Node& node) {
    const auto text = text_of(node);
    auto table = text ? TableName::parse(*text) : std::nullopt;
    const bool fits = table && table->schema.size() <= kLongestName && table->table.size() <= kLongestName;
    return fits ? table : std::nullopt;
  };
  codec.print = [](const TableName& table) { return print_text(table.to_string()); };
  return codec;
}

Codec<std::string> file_path() { return text_codec<std::string>("the path of a file", names_file); }

Codec<std::string> optional_path() {
  return text_codec<std::string>("the path of a file, or \"\" for none",
                                 [](const std::string& path) { return path.empty() || names_file(path); });
}

Codec<std::string> output_path() {
  auto codec = text_codec<std::string>("the path of a file, or - for stdout",
                                       [](const std::string& path) { return path.empty() || names_file(path); });
  codec.read = [inner = codec.read](const Node& node) {
    auto path = inner(node);
    return path == "-" ? std::string() : path;
  };
  codec.print = [](const std::string& path) { return print_text(path.empty() ? "-" : path); };
  return codec;
}

Codec<std::string> slot_name() {
  return text_codec<std::string>(
      "1 to 63 of a-z, 0-9 and _, in quotes if it looks like a number", [](const std::string& name) {
        constexpr auto kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_";
        return !name.empty() && name.size() <= 63 && name.find_first_not_of(kAllowed) == std::string::npos;
      });
}

Codec<std::chrono::milliseconds> duration(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  Codec<std::chrono::milliseconds> codec;
  codec.expected = fmt::format("a duration with its unit (500ms, 10s, 5m, 1h), from {} to {}", print_duration(least),
                               print_duration(most));
  codec.read = [=](const Node& node) {
    const bool scalar = node.kind == Node::Kind::kScalar;
    return in_range(scalar ? parse_duration(node.text) : std::nullopt, least, most);
  };
  codec.print = print_duration;
  return codec;
}

Codec<std::size_t> bytes(std::uint64_t least, std::uint64_t most, const std::string& zero) {
  Codec<std::size_t> codec;
  codec.expected = fmt::format("a number of bytes (4096, 64KiB, 32MB), from {} to {}{}", print_bytes(least),
                               print_bytes(most), zero.empty() ? "" : ", or 0 for " + zero);
  codec.read = [=](const Node& node) -> std::optional<std::size_t> {
    const auto value = node.kind == Node::Kind::kScalar ? parse_bytes(node.text) : std::nullopt;
    if (value == 0U && !zero.empty()) return 0;
    return in_range(value, least, most);
  };
  codec.print = print_bytes;
  return codec;
}

template <typename V>
Codec<V> count(std::uint64_t least, std::uint64_t most) {
  Codec<V> codec;
  codec.expected = fmt::format("an integer from {} to {}, without quotes or leading zeros", least, most);
  codec.read = [=](const Node& node) -> std::optional<V> {
    const auto value = in_range(parse_integer(unquoted(node).value_or("")), least, most);
    return value ? std::optional(static_cast<V>(*value)) : std::nullopt;
  };
  codec.print = [](const V& value) { return fmt::format("{}", value); };
  return codec;
}

template Codec<int> count(std::uint64_t, std::uint64_t);
template Codec<std::uint32_t> count(std::uint64_t, std::uint64_t);
template Codec<std::uint64_t> count(std::uint64_t, std::uint64_t);

Codec<double> number(double least, double most) {
  Codec<double> codec;
  codec.expected = fmt::format("a number from {} to {}, without quotes", least, most);
  codec.read = [=](const Node& node) { return in_range(parse_number(unquoted(node).value_or("")), least, most); };
  codec.print = print_number;
  return codec;
}

Codec<bool> boolean() {
  auto codec = choice<bool>({{"true", true}, {"false", false}});
  codec.read = [](const Node& node) -> std::optional<bool> {
    const auto text = unquoted(node);
    if (!text || (text != "true" && text != "false")) return std::nullopt;
    return text == "true";
  };
  return codec;
}

}  // namespace walcat::config
