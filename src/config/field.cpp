#include "field.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "nearest.h"

namespace walcat::config {

namespace {

std::vector<std::string_view> names_of(const std::vector<KnownKey>& known) {
  std::vector<std::string_view> names;
  names.reserve(known.size());
  for (const KnownKey& key : known) names.push_back(key.name);
  return names;
}

// Notes an unknown key; returns the known one it was probably meant to be.
std::string_view add_unknown(const Member& member, const std::vector<KnownKey>& known, const std::string& path,
                             Faults& faults) {
  const std::string full = below(path, member.key);
  if (member.key == "<<") {
    faults.add(member.place, full, "merge keys are not supported; write the keys out");
    return {};
  }
  const std::string_view meant = nearest(member.key, names_of(known));
  const std::string advice = meant.empty() ? fmt::format("known here: {}", fmt::join(names_of(known), ", "))
                                           : fmt::format("did you mean {}?", meant);
  faults.add(member.place, full, "unknown key; " + advice);
  return meant;
}

void add_repeated_key(const Node& map, const Member& again, const std::string& path, Faults& faults) {
  const auto first = std::find_if(map.members.begin(), map.members.end(),
                                  [&](const Member& member) { return member.key == again.key; });
  faults.add(again.place, below(path, again.key),
             fmt::format("key is already there at {}:{}", first->place.line, first->place.column));
}

}  // namespace

std::string below(const std::string& path, std::string_view name) {
  return path.empty() ? std::string(name) : path + "." + std::string(name);
}

void add_mismatch(const Node& node, const std::string& path, const std::string& expected, Faults& faults) {
  faults.add(node.place, path, fmt::format("found {}; expected {}", described(node), expected));
}

void add_repeated(const Node& again, const Place& first, const std::string& path, const std::string& value,
                  Faults& faults) {
  faults.add(again.place, path, fmt::format("{} is already there at {}:{}", value, first.line, first.column));
}

std::vector<const Node*> check_keys(const std::vector<KnownKey>& known, const Node& map, const std::string& path,
                                    Faults& faults) {
  std::vector<const Node*> values(known.size());
  if (map.kind != Node::Kind::kMap && map.kind != Node::Kind::kNull) {
    add_mismatch(map, path, "a mapping with keys such as " + std::string(known.front().name), faults);
    return values;
  }
  // A misspelt key is not missing as well: one fault is enough.
  std::set<std::string_view> named;
  for (const Member& member : map.members) {
    const auto key = std::find_if(known.begin(), known.end(), [&](const KnownKey& k) { return k.name == member.key; });
    if (key == known.end()) {
      named.insert(add_unknown(member, known, path, faults));
    } else if (!named.insert(key->name).second && values[static_cast<std::size_t>(key - known.begin())] != nullptr) {
      add_repeated_key(map, member, path, faults);
    } else {
      values[static_cast<std::size_t>(key - known.begin())] = &member.value;
    }
  }
  for (const KnownKey& key : known) {
    if (!key.required || named.contains(key.name)) continue;
    faults.add(map.place, below(path, key.name), fmt::format("missing; expected {}", key.expected));
  }
  return values;
}

}  // namespace walcat::config
