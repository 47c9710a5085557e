#pragma once

#include <fmt/format.h>

#include <functional>
#include <map>
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

/// Notes that `value` (as printed) stands in a list or mapping for the second time.
void add_repeated(const Node& again, const Place& first, const std::string& path, const std::string& value,
                  Faults& faults);

/// Notes why `codec` gives nothing for `node`.
template <typename V>
void add_unread(const Codec<V>& codec, const Node& node, const std::string& path, Faults& faults) {
  // Which may quote the value.
  const bool is_told = codec.explain && node.style != Node::Style::kExpanded;
  const std::string why = is_told ? codec.explain(node) : std::string();
  if (why.empty()) return add_mismatch(node, path, codec.expected, faults);
  faults.add(node.place, path, why);
}

/// Appends the elements of the list `node` to `into`; notes a fault for each that is wrong or there already.
template <typename V>
void read_list(const Codec<V>& codec, const Node& node, const std::string& path, std::vector<V>& into, Faults& faults) {
  std::map<std::string, Place> seen;
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    const Node& element = node.elements[i];
    const std::string element_path = fmt::format("{}[{}]", path, i);
    auto read = codec.read(element);
    if (element.kind == Node::Kind::kBroken) continue;
    if (!read) {
      add_unread(codec, element, element_path, faults);
    } else if (const auto [first, fresh] = seen.emplace(codec.print(*read), element.place); !fresh) {
      const bool is_shown = element.style != Node::Style::kExpanded;
      add_repeated(element, first->second, element_path, is_shown ? first->first : described(element), faults);
    } else {
      into.push_back(std::move(*read));
    }
  }
}

template <typename V>
std::string print_list(const Codec<V>& codec, const std::vector<V>& values) {
  std::vector<std::string> printed;
  printed.reserve(values.size());
  for (const V& value : values) printed.push_back(codec.print(value));
  return fmt::format("[{}]", fmt::join(printed, ", "));
}

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
      add_unread(codec, node, path, faults);
    }
  };
  field.print = [name, codec, member](const T& from, const std::string& indent) {
    return indent + name + ": " + codec.print(member(from)) + "\n";
  };
  return field;
}

/// Whether a list of no elements is one, and is printed.
enum class EmptyList { kRefused, kTaken };

/// An optional key with a list of distinct values.
template <typename T, typename V, typename Member>
Field<T> list(const std::string& name, const Codec<V>& codec, const std::string& expected, EmptyList empty,
              Member member) {
  Field<T> field{name, false, expected, {}, {}};
  field.read = [=](const Node& node, const std::string& path, T& into, Faults& faults) {
    const bool fits = !node.elements.empty() || empty == EmptyList::kTaken;
    if (node.kind != Node::Kind::kList || !fits) return add_mismatch(node, path, expected, faults);
    read_list(codec, node, path, member(into), faults);
  };
  field.print = [=](const T& from, const std::string& indent) {
    if (member(from).empty() && empty == EmptyList::kRefused) return std::string();
    return indent + name + ": " + print_list(codec, member(from)) + "\n";
  };
  return field;
}

/// An optional key with a list, not empty, of mappings with keys of their own.
template <typename T, typename E, typename Member>
Field<T> entries(const std::string& name, const std::vector<Field<E>>& fields, const std::string& expected,
                 Member member) {
  Field<T> field{name, false, expected, {}, {}};
  field.read = [=](const Node& node, const std::string& path, T& into, Faults& faults) {
    const bool fits = node.kind == Node::Kind::kList && !node.elements.empty();
    if (!fits) return add_mismatch(node, path, expected, faults);
    for (std::size_t i = 0; i < node.elements.size(); ++i) {
      E& entry = member(into).emplace_back();
      if (node.elements[i].kind == Node::Kind::kBroken) continue;
      read_fields(fields, node.elements[i], fmt::format("{}[{}]", path, i), entry, faults);
    }
  };
  field.print = [=](const T& from, const std::string& indent) {
    if (member(from).empty()) return std::string();
    std::string lines = indent + name + ":\n";
    for (const E& entry : member(from)) {
      // The first line of an entry carries the dash.
      lines += print_fields(fields, entry, indent + "    ").replace(indent.size() + 2, 1, "-");
    }
    return lines;
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
