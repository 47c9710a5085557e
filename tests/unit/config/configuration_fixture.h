#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "walcat/config/configuration.h"

namespace walcat::test {

/// The smallest configuration that is right, to which a case adds what it is about.
inline const std::string kOneDatabase =
    "databases:\n"
    "  - conn_str: postgres://u@h:5432/d\n"
    "    slot_name: s\n"
    "    publication_name: p\n";

inline Result<Configuration> parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_configuration(text, "c.yaml", overrides);
}

/// The faults of `text`; empty if there are none.
inline std::string faults(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse(text, overrides).status().message();
}

/// The configuration, which is right; a wrong one ends the test program with its faults.
inline Configuration parsed(const std::string& text, const std::vector<std::string>& overrides = {}) {
  auto configuration = parse(text, overrides);
  if (configuration.is_ok()) return *configuration;
  throw std::runtime_error(configuration.status().message());
}

/// Sets an environment variable for the length of a case.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) { ::setenv(name, value, 1); }
  ~Environment() { ::unsetenv(name_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* name_;
};

}  // namespace walcat::test
