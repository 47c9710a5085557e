#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec.h"
#include "faults.h"
#include "node.h"

/// The member of a T that a key fills. Keys are printed from a const T, hence the deduced result.
#define WALCAT_MEMBER(path) [](auto& from) -> auto& { return from.path; }  // NOLINT(bugprone-macro-parentheses)

namespace walcat::config {

/// One key of a mapping: its name, how its value gets into a `T`, and how it is printed from there.
template <typename T>
struct Field {
  std::string name;
  bool required = false;
  /// What the value must be, for the fault about a missing key.
  std::string expected;
  /// Reads `node`, whose key is `path`, into `into`, or notes a fault.
  std::function<void(const Node& node, const std::string& path, T& into, Faults& faults)> read;
  /// Whole lines, key included, indented by `indent`; nothing if the key is not printed.
  std::function<std::string(const T& from, const std::string& indent)> print;
};

/// What check_keys wants to know of a Field.
struct KnownKey {
  std::string_view name;
  bool required;
  std::string_view expected;
};

/// `path` with `name` below it.
std::string below(const std::string& path, std::string_view name);

/// Notes faults about unknown, repeated and missing keys of the mapping `map`. Null counts as an empty mapping, so a
/// section whose keys are all commented out is fine.
///
/// Returns the value of each key of `known`, in their order; null where there is none.
std::vector<const Node*> check_keys(const std::vector<KnownKey>& known, const Node& map, const std::string& path,
                                    Faults& faults);

/// Notes that `node` is not what was expected.
void add_mismatch(const Node& node, const std::string& path, const std::string& expected, Faults& faults);

/// Reads the mapping `map` by a table of keys.
template <typename T>
void read_fields(const std::vector<Field<T>>& fields, const Node& map, const std::string& path, T& into,
                 Faults& faults) {
  std::vector<KnownKey> known;
  known.reserve(fields.size());
  for (const auto& field : fields) known.push_back({field.name, field.required, field.expected});
  const auto values = check_keys(known, map, path, faults);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == nullptr || values[i]->kind == Node::Kind::kBroken) continue;
    fields[i].read(*values[i], below(path, fields[i].name), into, faults);
  }
}

template <typename T>
std::string print_fields(const std::vector<Field<T>>& fields, const T& from, const std::string& indent) {
  std::string lines;
  for (const auto& field : fields) {
    if (field.print) lines += field.print(from, indent);
  }
  return lines;
}

/// An optional key with a single value; `member` gives the place in a `T&` that holds it.
template <typename T, typename V, typename Member>
Field<T> value(const std::string& name, const Codec<V>& codec, Member member) {
  Field<T> field{name, false, codec.expected, {}, {}};
  field.read = [codec, member](const Node& node, const std::string& path, T& into, Faults& faults) {
    if (auto read = codec.read(node)) {
      member(into) = std::move(*read);
    } else {
      add_mismatch(node, path, codec.expected, faults);
    }
  };
  field.print = [name, codec, member](const T& from, const std::string& indent) {
    return indent + name + ": " + codec.print(member(from)) + "\n";
  };
  return field;
}

/// An optional key with a mapping of further keys.
template <typename T>
Field<T> section(const std::string& name, const std::vector<Field<T>>& fields) {
  Field<T> field{name, false, "a mapping", {}, {}};
  field.read = [fields](const Node& node, const std::string& path, T& into, Faults& faults) {
    read_fields(fields, node, path, into, faults);
  };
  field.print = [name, fields](const T& from, const std::string& indent) {
    return indent + name + ":\n" + print_fields(fields, from, indent + "  ");
  };
  return field;
}

/// The same key, which may not be left out.
template <typename T>
Field<T> required(Field<T> field) {
  field.required = true;
  return field;
}

/// The same key, not printed.
template <typename T>
Field<T> unprinted(Field<T> field) {
  field.print = nullptr;
  return field;
}

}  // namespace walcat::config
