#include "walcat/model/table_name.h"

namespace walcat {

namespace {

bool is_plain_start(char c) { return (c >= 'a' && c <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }
bool is_plain(char c) { return is_plain_start(c) || (c >= '0' && c <= '9') || c == '$'; }
char folded(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Reads one identifier off the front of `text`.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string name;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') {
      name += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == '"') {
      name += text[++i];
    } else {
      text.remove_prefix(i + 1);
      return name.empty() ? std::nullopt : std::optional(name);
    }
  }
  return std::nullopt;
}

std::optional<std::string> take_plain(std::string_view& text) {
  std::string name;
  while (!text.empty() && is_plain(folded(text.front()))) {
    name += folded(text.front());
    text.remove_prefix(1);
  }
  if (name.empty() || !is_plain_start(name.front())) return std::nullopt;
  return name;
}

std::optional<std::string> take_identifier(std::string_view& text) {
  if (text.empty()) return std::nullopt;
  return text.front() == '"' ? take_quoted(text) : take_plain(text);
}

std::string displayed(std::string_view name) {
  bool plain = !name.empty() && is_plain_start(name.front());
  for (const char c : name) plain = plain && is_plain(c);
  return plain ? std::string(name) : quote_identifier(name);
}

}  // namespace

std::optional<TableName> TableName::parse(std::string_view text) {
  const auto schema = take_identifier(text);
  if (!schema || text.empty() || text.front() != '.') return std::nullopt;
  text.remove_prefix(1);
  const auto table = take_identifier(text);
  if (!table || !text.empty()) return std::nullopt;
  return TableName{*schema, *table};
}

std::string quote_identifier(std::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string TableName::quoted() const { return quote_identifier(schema) + "." + quote_identifier(table); }

std::string TableName::to_string() const { return displayed(schema) + "." + displayed(table); }

}  // namespace walcat
