#include "expansion.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

namespace walcat::config {

namespace {

// Defaults within defaults; each costs stack and another look at the rest of the text.
constexpr int kDeepest = 32;
// Bytes that all values with variables in them may have.
constexpr std::size_t kMostBytes = std::size_t{32} << 20;

bool is_name(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') && std::all_of(text.begin(), text.end(), fits);
}

// Position of the brace that closes the `${` whose inside begins at `from`; a default may hold further ones.
std::size_t closing_brace(std::string_view text, std::size_t from) {
  int depth = 1;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') ++depth;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

// `why` must not quote the text: it may be a password.
std::optional<std::string> expanded(std::string_view text, int depth, std::string& why);

std::optional<std::string> expanded_variable(std::string_view inside, int depth, std::string& why) {
  const auto colon = inside.find(":-");
  const std::string name(inside.substr(0, colon));
  if (!is_name(name)) {
    why = "${ must be followed by NAME} or NAME:-default}; write $${ for a literal ${";
    return std::nullopt;
  }
  const char* value = std::getenv(name.c_str());  // NOLINT(concurrency-mt-unsafe): nothing here sets variables.
  const bool has_default = colon != std::string_view::npos;
  // As in a shell, `:-` takes the default for an empty variable too.
  if (value != nullptr && (*value != '\0' || !has_default)) return value;
  if (has_default) return expanded(inside.substr(colon + 2), depth + 1, why);
  why = fmt::format("environment variable {} is not set; set it or write ${{{}:-default}}", name, name);
  return std::nullopt;
}

std::optional<std::string> expanded(std::string_view text, int depth, std::string& why) {
  if (depth > kDeepest) {
    why = fmt::format("${{ within the default of another, more than {} deep", kDeepest);
    return std::nullopt;
  }
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    if (text[i] != '$' || (next != '$' && next != '{')) {
      out += text[i];
    } else if (next == '$') {
      out += '$';
      ++i;
    } else {
      const std::size_t close = closing_brace(text, i + 2);
      const bool closed = close != std::string_view::npos;
      const auto value = expanded_variable(closed ? text.substr(i + 2, close - i - 2) : "", depth, why);
      if (!value) return std::nullopt;
      out += *value;
      if (out.size() > kMostBytes) {
        why = "more than 32 MiB once its variables are expanded";
        return std::nullopt;
      }
      i = close;
    }
  }
  return out;
}

// `left`: bytes that may still come.
void expand_scalar(Node& node, const std::string& path, std::size_t& left, Faults& faults) {
  if (node.text.find('$') == std::string::npos) return;
  std::string why;
  auto text = expanded(node.text, 0, why);
  if (text && text->size() > left) {
    why = "more than 32 MiB of values once their variables are expanded";
    text.reset();
  }
  left -= text ? text->size() : 0;
  if (!text) {
    faults.add(node.place, path, why);
    node.kind = Node::Kind::kBroken;
  } else if (*text != node.text) {
    node.text = std::move(*text);
    node.style = Node::Style::kExpanded;
  }
}

void expand(Node& node, const std::string& path, std::size_t& left, Faults& faults) {
  if (node.kind == Node::Kind::kScalar) expand_scalar(node, path, left, faults);
  for (std::size_t i = 0; i < node.elements.size(); ++i) {
    expand(node.elements[i], fmt::format("{}[{}]", path, i), left, faults);
  }
  for (Member& member : node.members) {
    expand(member.value, path.empty() ? member.key : path + "." + member.key, left, faults);
  }
}

}  // namespace

void expand_environment(Node& root, Faults& faults) {
  std::size_t left = kMostBytes;
  expand(root, "", left, faults);
}

std::string escape_dollars(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    out += text[i];
    const bool special = text[i] == '$' && i + 1 < text.size() && (text[i + 1] == '$' || text[i + 1] == '{');
    if (special) out += '$';
  }
  return out;
}

}  // namespace walcat::config
