#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace walcat::test {

/// The corpus of the target that is linked in: small inputs that between them take every road, to mutate and to replay.
std::vector<std::string> seeds();

/// Ends the program: what a target promises does not hold, and `shown` is what shows it.
[[noreturn]] inline void finding(const char* what, std::string_view shown = "") {
  std::fprintf(stderr, "finding: %s\n%.*s\n", what, static_cast<int>(shown.size()), shown.data());
  std::abort();
}

}  // namespace walcat::test
