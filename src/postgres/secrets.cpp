#include "secrets.h"

#include <algorithm>
#include <array>
#include <memory>

namespace walcat {

namespace {

constexpr std::size_t kShortest = 4;

}  // namespace

bool is_secret(const PQconninfoOption& option) {
  const std::string_view keyword = option.keyword;
  if (std::string_view(option.dispchar) == "*") return true;
  const std::array signs = std::to_array<std::string_view>({"password", "secret", "scram_"});
  return std::any_of(signs.begin(), signs.end(),
                     [&](std::string_view sign) { return keyword.find(sign) != std::string_view::npos; });
}

void Secrets::add(const PGconn* connection) {
  if (connection == nullptr) return;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> used(PQconninfo(const_cast<PGconn*>(connection)),
                                                                          &PQconninfoFree);
  for (const PQconninfoOption* option = used.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (is_secret(*option)) add(option->val, connection);
  }
  // Also the one that a password file has for the host that is tried now.
  add(PQpass(connection), connection);
}

void Secrets::add(const char* secret, const PGconn* connection) {
  const std::string_view text = secret == nullptr ? "" : secret;
  if (text.size() < kShortest || std::find(secrets_.begin(), secrets_.end(), text) != secrets_.end()) return;
  for (const char* name : {PQuser(connection), PQdb(connection)}) {
    if (name != nullptr && text == name) return;
  }
  secrets_.emplace_back(text);
  std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Secrets::masked(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : secrets_) {
    const std::string before = std::move(out);
    std::string_view rest = before;
    out.clear();
    for (auto at = rest.find(secret); at != std::string_view::npos; at = rest.find(secret)) {
      out.append(rest.substr(0, at)).append(kMask);
      rest.remove_prefix(at + secret.size());
    }
    out += rest;
  }
  return out;
}

}  // namespace walcat
