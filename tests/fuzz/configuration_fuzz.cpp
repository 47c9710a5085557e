// Reaches what the unit tests do not: any text as a configuration. What is wrong is named at its place; what is right
// prints as a configuration that is right as well and prints as the same. Nothing is opened.
//
// The input is YAML. Its first lines may be `#set KEY=VALUE`, an override each.

#include <simdjson.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.h"
#include "text_input.h"
#include "walcat/config/configuration.h"

namespace walcat::test {
namespace {

constexpr std::string_view kSet = "#set ";

// So that libpq need not look for the user's name, and a value may name what is there.
bool set_environment() {
  ::setenv("PGUSER", "walcat", 1);
  ::setenv("WALCAT_FUZZ", "from the environment", 1);
  ::setenv("EMPTY", "", 1);
  return true;
}

void check_faults(const Status& status) {
  if (status.code() != StatusCode::kConfiguration) finding("another error", status.message());
  // FILE:LINE:COLUMN, or the override that is at fault.
  if (!status.message().starts_with("c.yaml:") && !status.message().starts_with("--set ")) {
    finding("a fault without its place", status.message());
  }
  if (!simdjson::validate_utf8(status.message())) finding("a fault that is no UTF-8", status.message());
}

void check_print(const Configuration& configuration) {
  const std::string printed = print_configuration(configuration);
  const auto again = parse_configuration(printed, "printed", {});
  // Of a broken password more may be masked than libpq takes for it.
  if (again.status().message().find(": libpq: ") != std::string::npos) return;
  if (!again.is_ok()) finding("what is printed is refused", again.status().message() + "\n" + printed);
  const std::string reprinted = print_configuration(*again);
  if (reprinted != printed) finding("what is printed means something else", printed + "\nbecomes\n" + reprinted);
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  [[maybe_unused]] static const bool is_set = set_environment();
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  std::vector<std::string> overrides;
  while (rest.starts_with(kSet)) {
    overrides.emplace_back(take_line(rest).substr(kSet.size()));
    // What is shown of the command line is as good as the command line.
    if (!simdjson::validate_utf8(overrides.back())) return 0;
  }
  const auto configuration = parse_configuration(std::string(rest), "c.yaml", overrides);
  if (!configuration.is_ok()) {
    check_faults(configuration.status());
    return 0;
  }
  check_print(*configuration);
  return 0;
}
