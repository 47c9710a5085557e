// Writes the corpus as files for the fuzzer to start from:
//
//   write_seeds FOLDER && pgoutput_fuzz FOLDER

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fuzz_target.h"

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: write_seeds FOLDER\n");
    return 64;
  }
  std::filesystem::create_directories(words[1]);
  int number = 0;
  for (const std::string& seed : walcat::test::seeds()) {
    std::ofstream(std::filesystem::path(words[1]) / ("seed" + std::to_string(number++)), std::ios::binary) << seed;
  }
  return 0;
}
