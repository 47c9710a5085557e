#include "overrides.h"

#include <fmt/format.h>

#include <optional>

#include "scalars.h"
#include "yaml.h"

namespace walcat::config {

namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> steps(1);
  for (const char c : path) {
    if (c == '.') {
      steps.emplace_back();
    } else {
      steps.back() += c;
    }
  }
  return steps;
}

// The value `step` leads to from `node`, made where it is missing; null with a fault where no value can be.
Node* descend_list(Node& node, const std::string& step, const std::string& path, const Place& place, Faults& faults) {
  const auto index = parse_integer(step);
  if (index && *index == node.elements.size()) {
    node.elements.emplace_back();
    node.elements.back().place = place;
  }
  if (index && *index < node.elements.size()) return &node.elements[*index];
  faults.add(place, path,
             fmt::format("found index {}; expected a number from 0 to {}", shown(step), node.elements.size()));
  return nullptr;
}

Node* descend_map(Node& node, const std::string& step, const Place& place) {
  if (Node* found = node.find(step)) return found;
  node.members.push_back({step, place, {}});
  node.members.back().value.place = place;
  return &node.members.back().value;
}

Node* descend(Node& node, const std::string& step, const std::string& path, const Place& place, Faults& faults) {
  if (node.kind == Node::Kind::kNull) {
    node.kind = parse_integer(step) && !path.empty() ? Node::Kind::kList : Node::Kind::kMap;
    node.place = place;
  }
  if (node.kind == Node::Kind::kList) return descend_list(node, step, path, place, faults);
  if (node.kind == Node::Kind::kMap) return descend_map(node, step, place);
  faults.add(place, path, fmt::format("found {}; it has no key {}", described(node), shown(step)));
  return nullptr;
}

void apply(Node& root, const std::string& text, int index, Faults& faults) {
  const Place place{1, 1, index};
  const auto equals = text.find('=');
  const auto steps = split(text.substr(0, equals));
  for (const std::string& step : steps) {
    if (!step.empty() && equals != std::string::npos) continue;
    faults.add(place, "", "expected path.to.key=value");
    return;
  }
  auto value = parse_yaml(text.substr(equals + 1), index, faults);
  if (!value) return;
  Node* node = &root;
  std::string path;
  for (const std::string& step : steps) {
    const bool in_list = node->kind == Node::Kind::kList;
    node = descend(*node, step, path, place, faults);
    if (node == nullptr) return;
    path += in_list ? "[" + step + "]" : (path.empty() ? "" : ".") + step;
  }
  *node = std::move(*value);
}

}  // namespace

void apply_overrides(Node& root, const std::vector<std::string>& overrides, Faults& faults) {
  for (std::size_t i = 0; i < overrides.size(); ++i) apply(root, overrides[i], static_cast<int>(i), faults);
}

}  // namespace walcat::config
