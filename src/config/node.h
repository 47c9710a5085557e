#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace walcat::config {

/// Where a key or a value was written: in the file, or in one of the `--set` options.
struct Place {
  /// Line and column of the file, from 1.
  int line = 1;
  int column = 1;
  /// Number of the `--set` option, from 0; -1: the file.
  int override_index = -1;
};

struct Member;

/// A YAML value without the YAML library: what was written, how, and where.
struct Node {
  enum class Kind {
    kNull,
    kScalar,
    kList,
    kMap,
    kBroken,  ///< A fault about it is reported already; nothing more is to be said.
  };
  enum class Style {
    kPlain,
    kQuoted,    ///< In quotes, a block scalar or `!!str`: text, never a number.
    kExpanded,  ///< `${NAME}` stood in it: text or number, whatever the key asks for.
  };

  Kind kind = Kind::kNull;
  Style style = Style::kPlain;
  Place place;
  std::string text;
  std::vector<Node> elements;
  std::vector<Member> members;

  /// The first value under `key`, or null.
  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
};

/// A key of a mapping and its value; a key written twice is here twice.
struct Member {
  std::string key;
  Place place;
  Node value;
};

inline const Node* Node::find(std::string_view key) const {
  for (const Member& member : members) {
    if (member.key == key) return &member.value;
  }
  return nullptr;
}

inline Node* Node::find(std::string_view key) { return const_cast<Node*>(static_cast<const Node*>(this)->find(key)); }

/// Where the value of `key` in the mapping `map` stands; where the mapping does, if the key was left out.
inline Place place_of(const Node& map, std::string_view key) {
  const Node* value = map.find(key);
  return value != nullptr ? value->place : map.place;
}

}  // namespace walcat::config
