#include "walcat/postgres/conninfo.h"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "misread_password.h"
#include "secrets.h"

namespace walcat {

namespace {

constexpr std::string_view kQuotedMask = "'********'";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
using Options = std::unique_ptr<PQconninfoOption, FreeOptions>;

const PQconninfoOption* find(const Options& options, std::string_view keyword) {
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword) return option;
  }
  return nullptr;
}

std::string value_of(const Options& options, std::string_view keyword) {
  const PQconninfoOption* option = find(options, keyword);
  return option != nullptr && option->val != nullptr ? option->val : "";
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// Whether the value of `keyword` may be printed: libpq knows the key and it names no secret. The value of a misspelt
// key may well be the password.
bool is_public(std::string_view keyword) {
  static const Options known(PQconninfoParse("", nullptr));
  const PQconninfoOption* option = find(known, keyword);
  return option != nullptr && !is_secret(*option);
}

bool is_word(std::string_view text) {
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), fits);
}

// Copies a key=value string and masks what may be secret, by libpq's grammar where it holds.
class KeyValueMask {
 public:
  explicit KeyValueMask(std::string_view text) : rest_(text) {}

  std::string masked() {
    while (copy_spaces(), !rest_.empty()) pair();
    return out_;
  }

 private:
  static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

  void copy_spaces() { out_ += take_spaces(); }

  void pair() {
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '=' && !is_space(rest_[end])) ++end;
    const std::string_view key = rest_.substr(0, end);
    rest_.remove_prefix(end);
    const std::string gap = take_spaces();
    const bool has_value = !rest_.empty() && rest_.front() == '=';
    // A word without a value, or an unknown key after a secret, may be the second word of an unquoted password.
    const bool shown = is_public(key) || (has_value && is_word(key) && !after_secret_);
    out_ += shown ? key : kMask;
    out_ += gap;
    if (has_value) value(is_public(key));
  }

  void value(bool shown) {
    out_ += '=';
    rest_.remove_prefix(1);
    copy_spaces();
    const std::size_t size = value_size();
    // Without its quotes the mask would run into a next key that follows them without a space.
    out_ += shown ? rest_.substr(0, size) : rest_.starts_with('\'') ? kQuotedMask : kMask;
    rest_.remove_prefix(size);
    after_secret_ = after_secret_ || !shown;
  }

  std::size_t value_size() const {
    const bool quoted = !rest_.empty() && rest_.front() == '\'';
    for (std::size_t i = quoted ? 1 : 0; i < rest_.size(); ++i) {
      if (rest_[i] == '\\') {
        ++i;
      } else if (quoted && rest_[i] == '\'') {
        return i + 1;
      } else if (!quoted && is_space(rest_[i])) {
        return i;
      }
    }
    return rest_.size();
  }

  std::string take_spaces() {
    std::string spaces;
    while (!rest_.empty() && is_space(rest_.front())) {
      spaces += rest_.front();
      rest_.remove_prefix(1);
    }
    return spaces;
  }

  std::string_view rest_;
  std::string out_;
  bool after_secret_ = false;
};

// Position of the `@` that ends user and password, or npos. libpq takes the first one before any slash; people write
// passwords with `@`, `/` and `?` in them, and those are not to be printed either.
std::size_t userinfo_end(std::string_view rest) {
  constexpr auto kNone = std::string_view::npos;
  const auto head = std::min(rest.find('?'), rest.size());
  const auto in_head = rest.substr(0, head).rfind('@');
  const auto last = rest.rfind('@');
  if (last == kNone || last < head) return in_head;
  // An `@` behind the question mark: in a value of the query, or in a password.
  if (!contains(rest.substr(head, last - head), "=")) return last;
  if (in_head != kNone) return in_head;
  if (!contains(rest.substr(0, last), "/")) return last;
  const auto colon = rest.substr(0, head).find(':');
  const bool port = colon + 1 < head && rest[colon + 1] >= '0' && rest[colon + 1] <= '9';
  return colon == kNone || port || rest.front() == '[' ? kNone : last;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string masked_query(std::string_view query) {
  std::string out = "?";
  query.remove_prefix(1);
  for (bool first = true; first || !query.empty(); first = false) {
    if (!first) {
      out += '&';
      query.remove_prefix(1);
    }
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(parameter.size());
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos) {
      // Either empty, or the tail of a secret with an `&` in it.
      out += parameter.empty() ? "" : kMask;
      continue;
    }
    const std::string_view key = parameter.substr(0, equals);
    const bool shown = is_public(percent_decoded(key)) || key == "ssl";
    out += is_word(percent_decoded(key)) ? key : kMask;
    out += '=';
    out += shown ? parameter.substr(equals + 1) : kMask;
  }
  return out;
}

std::string masked_uri(std::string_view scheme, std::string_view rest) {
  std::string out(scheme);
  const std::size_t at = userinfo_end(rest);
  if (at != std::string_view::npos) {
    const auto colon = rest.find(':');
    out += rest.substr(0, std::min(colon, at));
    if (colon < at) out += fmt::format(":{}", kMask);
    rest.remove_prefix(at);
  }
  const auto query = rest.find('?');
  out += rest.substr(0, query);
  if (query != std::string_view::npos) out += masked_query(rest.substr(query));
  return out;
}

// libpq quotes pieces of the string in its messages. A piece stays only if masking would have left it as well.
std::string without_secrets(std::string_view message, const std::string& conn_str) {
  while (!message.empty() && message.back() == '\n') message.remove_suffix(1);
  const auto first_quote = message.find('"');
  // With quotes in the string itself there is no telling what libpq's quotes enclose.
  if (contains(conn_str, "\"")) return std::string(message.substr(0, first_quote));
  const std::string masked = masked_conninfo(conn_str);
  std::string out;
  for (bool inside = false;; inside = !inside) {
    const auto quote = message.find('"');
    const std::string_view piece = message.substr(0, quote);
    const bool harmless =
        !inside || piece.find_first_not_of("=:/]") == std::string_view::npos || contains(masked, piece);
    out += harmless ? piece : piece == conn_str ? std::string_view(masked) : kMask;
    if (quote == std::string_view::npos) return out;
    out += '"';
    message.remove_prefix(quote + 1);
  }
}

}  // namespace

Result<ConnectionTarget> parse_conninfo(const std::string& conn_str) {
  char* raw_error = nullptr;
  const Options given(PQconninfoParse(conn_str.c_str(), &raw_error));
  const std::unique_ptr<char, decltype(&PQfreemem)> error(raw_error, &PQfreemem);
  if (given == nullptr) {
    const std::string why = error ? without_secrets(error.get(), conn_str) : "out of memory";
    return Status(StatusCode::kConfiguration, "libpq: " + why + way_to_write_passwords(conn_str));
  }
  const Options defaults(PQconndefaults());
  if (Status safe = check_no_password_is_misread(conn_str, given.get(), defaults.get()); !safe.is_ok()) return safe;
  ConnectionTarget target{value_of(given, "host"), value_of(given, "port"), value_of(given, "user"),
                          value_of(given, "dbname"), value_of(given, "service")};
  if (target.host.empty()) target.host = value_of(given, "hostaddr");
  // What a service file says comes before libpq's defaults, and only libpq reads it.
  if (!target.service.empty()) return target;
  const auto fill = [&](std::string& field, std::string_view keyword) {
    if (field.empty()) field = value_of(defaults, keyword);
  };
  fill(target.host, "host");
  fill(target.host, "hostaddr");
  fill(target.port, "port");
  fill(target.user, "user");
  fill(target.database, "dbname");
  if (target.database.empty()) target.database = target.user;
  return target;
}

std::string masked_conninfo(const std::string& conn_str) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (conn_str.starts_with(scheme)) return masked_uri(scheme, std::string_view(conn_str).substr(scheme.size()));
  }
  return KeyValueMask(conn_str).masked();
}

std::string libpq_version() {
  const int version = PQlibVersion();
  return fmt::format("{}.{}", version / 10'000, version % 10'000);
}

}  // namespace walcat
