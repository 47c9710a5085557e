#include "alternatives.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string_view>

namespace walcat::selection {

namespace {

constexpr std::size_t kMost = 256;

// Nothing: syntax that is not followed.
using Variants = std::optional<std::vector<std::string>>;

std::optional<std::size_t> after_atom(std::string_view text, std::size_t at);

std::optional<std::size_t> after_class(std::string_view text, std::size_t at) {
  ++at;
  if (at < text.size() && text[at] == '^') ++at;
  for (bool first = true; at < text.size(); first = false) {
    if (text[at] == ']' && !first) return at + 1;
    if (text.substr(at, 2) == "[:") {
      const auto end = text.find(":]", at);
      if (end == std::string_view::npos) return std::nullopt;
      at = end + 2;
    } else {
      at += text[at] == '\\' ? 2 : 1;
    }
  }
  return std::nullopt;
}

std::optional<std::size_t> after_group(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && text[at] != ')') {
    const auto next = after_atom(text, at);
    if (!next) return next;
    at = *next;
  }
  return at < text.size() ? std::optional(at + 1) : std::nullopt;
}

std::optional<std::size_t> after_atom(std::string_view text, std::size_t at) {
  if (text[at] == '[') return after_class(text, at);
  if (text[at] == '(') return after_group(text, at);
  if (text[at] != '\\') return at + 1;
  if (at + 1 >= text.size() || text[at + 1] == 'Q') return std::nullopt;
  return at + 2;
}

// Bytes of `(`, `(?:`, `(?i:`, `(?P<name>`; nothing for flags that stand by themselves.
std::optional<std::size_t> header_size(std::string_view group) {
  if (group.substr(0, 2) != "(?") return 1;
  const auto end = group.find_first_of(":>)");
  return end == std::string_view::npos || group[end] == ')' ? std::nullopt : std::optional(end + 1);
}

std::optional<std::vector<std::string_view>> branches_of(std::string_view text) {
  std::vector<std::string_view> branches;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '|') {
      branches.push_back(text.substr(begin, at - begin));
      begin = ++at;
      continue;
    }
    const auto next = after_atom(text, at);
    if (!next) return std::nullopt;
    at = *next;
  }
  branches.push_back(text.substr(begin));
  return branches;
}

Variants variants_of(std::string_view text);

// Of a sequence: one for each alternative of each of its groups.
Variants variants_of_sequence(std::string_view text) {
  std::vector<std::string> variants;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = after_atom(text, at);
    if (!end) return std::nullopt;
    const bool is_repeated = *end < text.size() && std::string_view("*+?{").find(text[*end]) != std::string_view::npos;
    if (text[at] == '(') {
      const auto header = header_size(text.substr(at, *end - at));
      if (!header) return std::nullopt;
      const auto inner = variants_of(text.substr(at + *header, *end - 1 - at - *header));
      if (!inner) return std::nullopt;
      for (const std::string& variant : *inner) {
        if (inner->size() == 1 || is_repeated) break;
        variants.push_back(std::string(text.substr(0, at + *header)) + variant + std::string(text.substr(*end - 1)));
      }
    }
    at = *end;
  }
  if (variants.empty()) variants.emplace_back(text);
  return variants;
}

Variants variants_of(std::string_view text) {
  const auto branches = branches_of(text);
  if (!branches) return std::nullopt;
  std::vector<std::string> variants;
  for (const std::string_view branch : *branches) {
    const auto own = variants_of_sequence(branch);
    if (!own || variants.size() + own->size() > kMost) return std::nullopt;
    variants.insert(variants.end(), own->begin(), own->end());
  }
  return variants;
}

// Flags that hold for the whole pattern.
std::string leading_flags(const std::string& pattern) {
  if (pattern.rfind("(?", 0) != 0) return {};
  const auto end = pattern.find_first_not_of("imsU-", 2);
  return end == std::string::npos || pattern[end] != ')' ? std::string() : pattern.substr(0, end + 1);
}

}  // namespace

std::vector<std::string> single_alternatives(const std::string& pattern) {
  const std::string flags = leading_flags(pattern);
  auto variants = variants_of(std::string_view(pattern).substr(flags.size()));
  if (!variants) return {pattern};
  for (std::string& variant : *variants) variant.insert(0, flags);
  return std::move(*variants);
}

}  // namespace walcat::selection
