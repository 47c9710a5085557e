#include "misread_password.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace walcat {

namespace {

constexpr std::string_view kEncode =
    "in user and password of a URI write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23 and % as %25";

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// What follows the scheme, if the string is a URI to libpq.
std::optional<std::string_view> uri_of(std::string_view conn_str) {
  for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
    if (conn_str.starts_with(scheme)) return conn_str.substr(scheme.size());
  }
  return std::nullopt;
}

// libpq ends user and password at the first @, unless a / comes first: then there are none.
bool has_stray_at(std::string_view uri) {
  const auto end = uri.find_first_of("@/");
  if (end != std::string_view::npos && uri[end] == '@') uri.remove_prefix(end + 1);
  return contains(uri.substr(0, uri.find('?')), "@");
}

const char* value_of(const PQconninfoOption* options, std::string_view keyword) {
  for (const PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr; ++option) {
    if (keyword == option->keyword) return option->val;
  }
  return nullptr;
}

bool is_string_with_password(const std::string& value) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> read(PQconninfoParse(value.c_str(), nullptr),
                                                                          &PQconninfoFree);
  return value_of(read.get(), "password") != nullptr;
}

// As where settings stand apart by ; or &, and libpq takes them for one.
bool sets_password(std::string_view value) {
  std::string lower(value);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return contains(lower, "password=") || contains(lower, "passwd=") || contains(lower, "pwd=");
}

// A host's name has no @, ;, & or =, nor have addresses and ports. The folder of a Unix socket, which / begins, may
// have some; in front of a socket's name, it is an abstract one.
bool has_no_names(std::string_view list) {
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view entry = list.substr(begin, end - begin);
    if (!entry.starts_with('/') && entry.find_first_of("@;&=", 1) != std::string_view::npos) return true;
    begin = end + 1;
  }
  return false;
}

bool may_hold_password(std::string_view keyword, const std::string& value) {
  if (contains(value, "://") || sets_password(value)) return true;
  if (keyword == "user") return false;
  return keyword == "dbname" ? is_string_with_password(value) : has_no_names(value);
}

// Settings that are looked up, sent, or quoted where they do not fit.
struct Place {
  std::string_view keyword;
  std::string_view variable;
};
constexpr std::array kPlaces = std::to_array<Place>(
    {{"host", "PGHOST"}, {"hostaddr", "PGHOSTADDR"}, {"port", "PGPORT"}, {"dbname", "PGDATABASE"}, {"user", "PGUSER"}});

}  // namespace

Status check_no_password_is_misread(const std::string& conn_str, const PQconninfoOption* given,
                                    const PQconninfoOption* defaults) {
  if (const auto uri = uri_of(conn_str); uri && has_stray_at(*uri)) {
    return {StatusCode::kConfiguration,
            fmt::format("an @ stands where libpq reads hosts and a database: it ends user and password at the first @ "
                        "that no / comes before, and a part of the password would be looked up and logged as a name; "
                        "hint: {}, and an @ in a database's name as %40, too",
                        kEncode)};
  }
  for (const auto& [keyword, variable] : kPlaces) {
    const char* own = value_of(given, keyword);
    const char* value = own != nullptr ? own : value_of(defaults, keyword);
    if (value == nullptr || !may_hold_password(keyword, value)) continue;
    return {StatusCode::kConfiguration,
            fmt::format(
                "{} is no name but holds a connection string, or a part of one with a password, which would be "
                "looked up and logged; hint: settings stand apart by spaces, in a URI by & behind its ?, and a URI is "
                "the whole conn_str",
                own != nullptr ? keyword : variable)};
  }
  return Status::ok();
}

std::string way_to_write_passwords(const std::string& conn_str) {
  const auto uri = uri_of(conn_str);
  const bool has_userinfo = contains(conn_str, "://") && contains(conn_str, "@");
  if (has_userinfo || (uri && contains(*uri, "password"))) return fmt::format("; hint: {}", kEncode);
  if (uri || !contains(conn_str, "password")) return "";
  return "; hint: a value with spaces stands in single quotes, as in password='two words', and there ' is written \\' "
         "and \\ is written \\\\";
}

}  // namespace walcat
