// Reaches what the unit tests do not: any text as a connection string. No password gets into what is printed of it or
// into what is said to be wrong with it.

#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz_target.h"
#include "walcat/postgres/conninfo.h"

namespace walcat::test {
namespace {

// What the passwords of the seeds are made of; nothing else is.
constexpr std::string_view kSecret = "Tr0ub4dor";

// Whether libpq takes the secret, which stands in `text` once, for a part of a password.
bool holds_secret(const std::string& text) {
  const auto found = text.find(kSecret);
  if (found == std::string::npos || text.find(kSecret, found + 1) != std::string::npos) return false;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(text.c_str(), nullptr),
                                                                             &PQconninfoFree);
  for (const PQconninfoOption* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    const bool is_password =
        std::string_view(option->keyword) == "password" || std::string_view(option->keyword) == "sslpassword";
    if (is_password && option->val != nullptr && std::string_view(option->val).find(kSecret) != std::string_view::npos)
      return true;
  }
  return false;
}

bool shows_secret(const std::string& text) { return text.find(kSecret) != std::string::npos; }

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  ::setenv("PGUSER", "walcat", 1);
  // A C string to libpq.
  const std::string text = std::string(reinterpret_cast<const char*>(bytes), size).c_str();
  const auto target = parse_conninfo(text);
  const std::string masked = masked_conninfo(text);
  if (holds_secret(text) && shows_secret(masked)) finding("a password is shown", masked);
  if (!target.is_ok()) {
    if (target.status().code() != StatusCode::kConfiguration) finding("another error", target.status().message());
    if (target.status().message().empty()) finding("an error without a word");
    // What is shown of the string may be in the words, and no more.
    if (shows_secret(target.status().message()) && !shows_secret(masked)) {
      finding("an error shows a password", target.status().message());
    }
    return 0;
  }
  return 0;
}
