// A fuzzer's corpus as an ordinary test: every seed, every seed cut short, and seeds with flipped bits.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <random>

#include "fuzz_target.h"

namespace walcat::test {
namespace {

// Of a long seed so many ends are tried, and of all seeds together so many flips.
constexpr std::size_t kCuts = 200;
constexpr std::size_t kRounds = 5000;

void replay(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

TEST(Fuzz, HasNoFindingInItsCorpus) {
  for (const std::string& seed : seeds()) replay(seed);
}

TEST(Fuzz, HasNoFindingInItsCorpusCutShort) {
  for (const std::string& seed : seeds()) {
    const std::size_t step = std::max<std::size_t>(3, seed.size() / kCuts);
    for (std::size_t size = 0; size < seed.size(); size += step) replay(seed.substr(0, size));
  }
}

TEST(Fuzz, HasNoFindingInItsCorpusWithFlippedBits) {
  // The same in every build, unless WALCAT_TEST_SEED says otherwise: finding new inputs is the fuzzers' work.
  const char* given = std::getenv("WALCAT_TEST_SEED");
  const std::uint64_t seed_of_chance = given == nullptr ? 1 : std::strtoull(given, nullptr, 10);
  RecordProperty("seed", std::to_string(seed_of_chance));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed_of_chance));
  std::mt19937_64 random(seed_of_chance);
  const std::vector<std::string> all = seeds();
  for (std::size_t round = 0; round < kRounds; ++round) {
    std::string bytes = all[round % all.size()];
    for (std::uint64_t flips = bytes.empty() ? 0 : 1 + random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
    }
    replay(bytes);
  }
}

}  // namespace
}  // namespace walcat::test
