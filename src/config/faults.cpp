#include "faults.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "walcat/base/printable.h"
#include "walcat/base/utf8.h"
#include "walcat/postgres/conninfo.h"

namespace walcat::config {

namespace {

// Characters.
constexpr std::size_t kLongestShown = 80;
// Bytes. Names of files and keys are whatever was given.
constexpr std::size_t kFaultBytesMost = 8'192;

// Passwords travel in connection strings, and those have one of these in them. A user who misspells the key still
// trusts us with the value.
bool may_hold_password(std::string_view text) {
  for (const std::string_view sign : {"=", "@", "://", "pass", "secret"}) {
    if (text.find(sign) != std::string_view::npos) return true;
  }
  return false;
}

// Whether the value of an override may be secret by its key, or by a key inside it; keys may be misspelt.
bool may_hold_secret(std::string_view path, std::string_view value) {
  const auto has = [](std::string_view text, std::string_view sign) {
    return text.find(sign) != std::string_view::npos;
  };
  if (may_hold_password(path) || has(path, "conn") || may_hold_password(value)) return true;
  return has(path, "salt") || has(path, "hash") || has(value, "salt") || has(value, "hash");
}

std::string displayed_override(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos) return may_hold_password(text) ? "..." : text;
  const std::string path = text.substr(0, equals);
  const std::string value = text.substr(equals + 1);
  return path + "=" + (may_hold_secret(path, value) ? "..." : value);
}

}  // namespace

Faults::Faults(std::string name, const std::vector<std::string>& overrides)
    : name_(std::move(name)), overrides_(overrides) {}

void Faults::add(const Place& place, const std::string& path, const std::string& message) {
  const std::string fault = where(place) + (path.empty() ? "" : ": " + path) + ": " + message;
  faults_.emplace(std::tuple(place.override_index, place.line, place.column), printable_line(fault, kFaultBytesMost));
}

std::string Faults::where(const Place& place) const {
  if (place.override_index >= 0) {
    return "--set " + displayed_override(overrides_.at(static_cast<std::size_t>(place.override_index)));
  }
  return fmt::format("{}:{}:{}", name_, place.line, place.column);
}

Status Faults::status() const {
  if (faults_.empty()) return Status::ok();
  std::string message;
  for (const auto& [position, fault] : faults_) message += (message.empty() ? "" : "\n") + fault;
  return {StatusCode::kConfiguration, message};
}

std::string shown(std::string_view text) {
  std::string masked = may_hold_password(text) ? masked_conninfo(std::string(text)) : std::string(text);
  const std::string_view front = first_characters(masked, kLongestShown);
  if (front.size() < masked.size()) masked = std::string(front) + "...";
  return '"' + masked + '"';
}

bool is_number(std::string_view text) {
  const bool starts = !text.empty() && text.find_first_of("0123456789") != std::string_view::npos;
  return starts && text.find_first_not_of("0123456789.eE+-") == std::string_view::npos &&
         std::string_view("0123456789.+-").find(text.front()) != std::string_view::npos;
}

bool is_boolean(std::string_view text) {
  static constexpr std::string_view kWords[] = {"true", "True", "TRUE", "false", "False", "FALSE"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

std::string described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull: return "nothing (null)";
    case Node::Kind::kList: return node.elements.empty() ? "an empty list" : "a list";
    case Node::Kind::kMap: return "a mapping";
    case Node::Kind::kBroken: return "a broken value";
    case Node::Kind::kScalar: break;
  }
  if (node.style == Node::Style::kExpanded) return "a value from the environment (not shown)";
  if (node.style == Node::Style::kQuoted) return "the text " + shown(node.text);
  if (node.style == Node::Style::kPlain && is_number(node.text)) return "the number " + node.text;
  if (node.style == Node::Style::kPlain && is_boolean(node.text)) return "the boolean " + node.text;
  return shown(node.text);
}

}  // namespace walcat::config
