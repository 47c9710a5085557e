// The fuzzer's corpus as an ordinary test: every seed, every seed cut short, and seeds with flipped bits.

#include <gtest/gtest.h>

#include <cstdint>
#include <random>

#include "seeds.h"

namespace walcat::test {
namespace {

void replay(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

TEST(PgoutputFuzz, HasNoFindingInItsCorpus) {
  for (const std::string& seed : pgoutput_seeds()) replay(seed);
}

TEST(PgoutputFuzz, HasNoFindingInItsCorpusCutShort) {
  for (const std::string& seed : pgoutput_seeds()) {
    for (std::size_t size = 0; size < seed.size(); size += 3) replay(seed.substr(0, size));
  }
}

TEST(PgoutputFuzz, HasNoFindingInItsCorpusWithFlippedBits) {
  const std::uint64_t seed_of_chance = std::random_device()();
  RecordProperty("seed", std::to_string(seed_of_chance));
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed_of_chance));
  std::mt19937_64 random(seed_of_chance);
  for (const std::string& seed : pgoutput_seeds()) {
    for (int round = 0; round < 100; ++round) {
      std::string bytes = seed;
      for (std::uint64_t flips = 1 + random() % 4; flips > 0; --flips) {
        bytes[random() % bytes.size()] ^= static_cast<char>(1U << random() % 8);
      }
      replay(bytes);
    }
  }
}

}  // namespace
}  // namespace walcat::test
