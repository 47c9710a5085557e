// Reaches what the unit tests do not: any words as a command line, and any that are right together with a
// configuration.
//
// The input is the words behind the program's name, a line each.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fuzz_target.h"
#include "text_input.h"
#include "walcat/cli/command_line.h"

namespace walcat::test {
namespace {

// Two databases of the same name.
walcat::Configuration two_databases() {
  walcat::Configuration configuration;
  for (const char* slot : {"s1", "s2"}) {
    DatabaseOptions& database = configuration.pipeline.databases.emplace_back();
    database.conn_str = "postgres://u@h:5432/d";
    database.slot_name = slot;
    database.publication_name = "p";
    database.label = slot;
  }
  return configuration;
}

void check_reply(const CommandLineReply& reply) {
  if (reply.text.empty()) finding("an answer without a word");
  if (reply.status != ExitStatus::kDone && reply.status != ExitStatus::kUsage) finding("another status", reply.text);
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  std::vector<std::string> words{"walcat"};
  while (!rest.empty()) words.emplace_back(take_line(rest));
  std::vector<const char*> pointers;
  for (const std::string& word : words) pointers.push_back(word.c_str());
  const auto line = parse_command_line(static_cast<int>(pointers.size()), pointers.data());
  if (const auto* reply = std::get_if<CommandLineReply>(&line)) {
    check_reply(*reply);
    return 0;
  }
  auto configuration = two_databases();
  const Status applied = apply_command_line(std::get<CommandLine>(line), configuration);
  if (!applied.is_ok() && applied.code() != StatusCode::kConfiguration) finding("another error", applied.message());
  return 0;
}
