#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "node.h"
#include "walcat/model/table_name.h"

namespace walcat::config {

/// How one kind of value is read from YAML and printed as YAML.
template <typename V>
struct Codec {
  /// What a value must be, to follow "expected".
  std::string expected;
  /// The value, or nothing if `node` is not what was expected.
  std::function<std::optional<V>(const Node& node)> read;
  std::function<std::string(const V& value)> print;
  /// What is wrong with a node that was not read, where "found .., expected .." would say too little or too much; may
  /// be unset, and its answer empty.
  std::function<std::string(const Node& node)> explain = {};
};

/// Text of `shortest` to `longest` bytes. A plain number or boolean is not text.
Codec<std::string> text(std::size_t shortest, std::size_t longest);

/// The same, not to be seen: printed as asterisks, and left out of faults.
Codec<std::string> secret(std::size_t shortest, std::size_t longest);

/// A table by TableName::parse; its names no longer than PostgreSQL's.
Codec<TableName> table_name();

/// A path of a file; not a folder.
Codec<std::string> file_path();
/// The same, or empty text.
Codec<std::string> optional_path();

/// The output: a file's path, or `-` (empty in the program) for stdout.
Codec<std::string> output_path();

/// 1 to 63 of `[a-z0-9_]`, PostgreSQL's rule for slot names.
Codec<std::string> slot_name();

Codec<std::chrono::milliseconds> duration(std::chrono::milliseconds least, std::chrono::milliseconds most);

/// Bytes; with `zero` also 0, whose meaning `zero` says.
Codec<std::size_t> bytes(std::uint64_t least, std::uint64_t most, const std::string& zero = "");

/// An integer in its own notation, without quotes.
template <typename V>
Codec<V> count(std::uint64_t least, std::uint64_t most);

Codec<double> number(double least, double most);

/// `true` or `false`, nothing else.
Codec<bool> boolean();

/// One of a few words.
template <typename V>
Codec<V> choice(std::vector<std::pair<std::string_view, V>> words) {
  Codec<V> codec;
  for (const auto& [word, value] : words) {
    const bool last = &word == &words.back().first;
    codec.expected += (codec.expected.empty() ? "" : last ? " or " : ", ") + std::string(word);
  }
  codec.read = [words](const Node& node) -> std::optional<V> {
    for (const auto& [word, value] : words) {
      if (node.kind == Node::Kind::kScalar && node.text == word) return value;
    }
    return std::nullopt;
  };
  codec.print = [words](const V& wanted) -> std::string {
    for (const auto& [word, value] : words) {
      if (value == wanted) return std::string(word);
    }
    return {};
  };
  return codec;
}

/// The values of `codec` in which `fault_of` finds no fault; its answer is the fault, or empty.
template <typename V>
Codec<V> checked(Codec<V> codec, const std::function<std::string(const V& value)>& fault_of) {
  codec.explain = [read = codec.read, fault_of](const Node& node) {
    const auto value = read(node);
    return value ? fault_of(*value) : std::string();
  };
  codec.read = [read = codec.read, fault_of](const Node& node) {
    auto value = read(node);
    return value && fault_of(*value).empty() ? value : std::nullopt;
  };
  return codec;
}

/// PostgreSQL's NAMEDATALEN - 1: a longer name never matches anything.
inline constexpr std::size_t kLongestName = 63;

/// The text of a node that is text: a quoted or expanded scalar, or a plain one that is no number or boolean.
std::optional<std::string> text_of(const Node& node);

}  // namespace walcat::config
