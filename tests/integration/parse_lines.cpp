// Parses each line of a file with simdjson and prints how many there were and how many were no JSON.
//
// Every value is visited: strings are unescaped, numbers read, and no key may stand twice in one object. A number that
// neither 64 bits nor a double can hold, as a numeric may be, is valid JSON that simdjson reads as its digits only: so
// does this program, by JSON's grammar.

#include <simdjson.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>
#include <string>
#include <string_view>

namespace {

using simdjson::ondemand::json_type;

[[noreturn]] void fault(simdjson::error_code code) { throw simdjson::simdjson_error(code); }

std::size_t take_digits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool is_number(std::string_view text) {
  take(text, "-");
  if (!take(text, "0") && take_digits(text) == 0) return false;
  if (take(text, ".") && take_digits(text) == 0) return false;
  if (take(text, "eE")) {
    take(text, "+-");
    if (take_digits(text) == 0) return false;
  }
  return text.empty();
}

void visit_number(simdjson::ondemand::value value) {
  std::string_view token = value.raw_json_token();
  token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
  if (!is_number(token)) fault(simdjson::NUMBER_ERROR);
}

void visit(simdjson::ondemand::value value) {
  switch (value.type().value()) {
    case json_type::object: {
      std::set<std::string> keys;
      for (auto field : value.get_object()) {
        const std::string_view key = field.unescaped_key().value();
        if (!keys.emplace(key).second) fault(simdjson::TAPE_ERROR);
        visit(field.value().value());
      }
      return;
    }
    case json_type::array:
      for (auto element : value.get_array()) visit(element.value());
      return;
    case json_type::string: static_cast<void>(value.get_string().value()); return;
    case json_type::number: return visit_number(value);
    case json_type::boolean: static_cast<void>(value.get_bool().value()); return;
    case json_type::null:
      if (!value.is_null()) fault(simdjson::N_ATOM_ERROR);
      return;
  }
}

void parse(simdjson::ondemand::parser& parser, std::string& line) {
  line.reserve(line.size() + simdjson::SIMDJSON_PADDING);
  auto document = parser.iterate(line).value();
  visit(document.get_value().value());
  // There is nothing to point at behind the end.
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) fault(simdjson::TAPE_ERROR);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::ifstream file(argv[1], std::ios::binary);
  simdjson::ondemand::parser parser;
  std::size_t lines = 0;
  std::size_t errors = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    try {
      parse(parser, line);
    } catch (const simdjson::simdjson_error& error) {
      ++errors;
      std::cerr << error.what() << ": " << line << '\n';
    }
  }
  std::cout << lines << " lines, " << errors << " errors\n";
  return errors == 0 ? 0 : 1;
}
