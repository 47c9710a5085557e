#include "walcat/postgres/network_risk.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

// Only libpq reads service files, and it does so when it connects. With a port that there is none of it ends before it
// looks for a host; with a password it looks for no password file.
Settings effective_settings(const std::string& conn_str) {
  const std::array<const char*, 4> keywords{"dbname", "port", "password", nullptr};
  const std::array<const char*, 4> values{conn_str.c_str(), "0", "-", nullptr};
  const std::unique_ptr<PGconn, decltype(&PQfinish)> unborn(PQconnectStartParams(keywords.data(), values.data(), 1),
                                                            &PQfinish);
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfo(unborn.get()), &PQconninfoFree);
  Settings settings;
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->val != nullptr) settings[option->keyword] = option->val;
  }
  return settings;
}

std::string value_of(const Settings& settings, std::string_view keyword) {
  const auto found = settings.find(keyword);
  return found == settings.end() ? "" : found->second;
}

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> parts;
  while (true) {
    const auto comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// 127.0.0.0/8 and ::1, also as IPv6 writes the former.
bool is_loopback(const std::string& address) {
  in_addr four{};
  if (::inet_pton(AF_INET, address.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24U) == 127;
  in6_addr six{};
  if (::inet_pton(AF_INET6, address.c_str(), &six) != 1) return false;
  return IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127);
}

// A folder, an abstract name, or none at all, which means libpq's own folder: a socket of this machine.
bool is_local(const std::string& host) {
  const bool is_socket = host.empty() || host.front() == '/' || host.front() == '@';
  return is_socket || ::strcasecmp(host.c_str(), "localhost") == 0 || is_loopback(host);
}

// Those that are reached through a network; an address says more than the name beside it.
std::vector<std::string> remote_hosts(const Settings& settings) {
  const auto names = split(value_of(settings, "host"));
  const auto addresses = split(value_of(settings, "hostaddr"));
  std::vector<std::string> remote;
  for (std::size_t i = 0; i < std::max(names.size(), addresses.size()); ++i) {
    const std::string name = i < names.size() ? names[i] : "";
    const std::string address = i < addresses.size() ? addresses[i] : "";
    if (!is_local(address.empty() ? name : address)) remote.push_back(name.empty() ? address : name);
  }
  return remote;
}

constexpr const char* kUnencrypted =
    "whoever is on the network in between can read and change what is sent, and takes the password where it is asked "
    "for in clear text";
constexpr const char* kUnnamed =
    "what is sent is encrypted, but libpq does not ask whose server it is: whoever can redirect the connection reads "
    "and changes it, and takes the password where they ask for it in clear text";

// What a mode of libpq's leaves open; empty where that is nothing, or libpq knows no such mode.
std::string exposure(const std::string& sslmode) {
  if (sslmode == "disable") return kUnencrypted;
  if (sslmode == "require") return kUnnamed;
  if (sslmode == "verify-ca") return "any server with a certificate of the same authority is taken for this one";
  if (sslmode != "allow" && sslmode != "prefer") return "";
  return fmt::format("whether anything is encrypted is for the other end to say: {}", kUnencrypted);
}

}  // namespace

std::optional<NetworkRisk> network_risk(const std::string& conn_str) {
  const Settings settings = effective_settings(conn_str);
  const auto requires_it = [&](std::string_view keyword) { return value_of(settings, keyword) == "require"; };
  if (requires_it("channel_binding") || requires_it("gssencmode")) return std::nullopt;
  const std::string sslmode = value_of(settings, "sslmode");
  const std::string exposed = exposure(sslmode);
  const auto hosts = remote_hosts(settings);
  if (exposed.empty() || hosts.empty()) return std::nullopt;
  NetworkRisk risk;
  risk.is_chosen = sslmode != "prefer";
  risk.text = fmt::format("host {}: sslmode={}: {}", shortened_list(hosts), sslmode, exposed);
  if (risk.is_chosen) return risk;
  risk.text +=
      "; hint: sslmode=verify-full and sslrootcert=FILE in conn_str, or channel_binding=require; where the network can "
      "be trusted, sslmode=disable says so; see docs/security.md";
  return risk;
}

}  // namespace walcat
