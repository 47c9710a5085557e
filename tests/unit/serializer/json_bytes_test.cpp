// What the serializer does in blocks, against what does it byte by byte.

#include "serializer/json_bytes.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "serializer/json_number.h"
#include "walcat/model/byte_buffer.h"

namespace walcat::test {
namespace {

// What `put` writes of `value`.
template <typename Put>
std::string number(std::uint64_t value, Put put) {
  char bytes[kNumberMost + ByteBuffer::kSlack];
  return {bytes, static_cast<std::size_t>(put(bytes, value) - bytes)};
}

// A text as the serializer has it, behind it what must not be taken for a part of it.
ByteBuffer padded(const std::string& text, char behind) {
  ByteBuffer buffer(text.size());
  buffer.append(text);
  std::memset(buffer.end(), behind, ByteBuffer::kSlack);
  return buffer;
}

TEST(JsonNumber, IsTheSameAtOnceAndByteByByte) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const std::string letters = "0123456789012345678900..--eE+x";
  for (int round = 0; round < 100'000; ++round) {
    std::string text(random() % 20, '0');
    // Mostly digits, or few of the texts would be numbers.
    const std::size_t choice = round % 3 == 0 ? letters.size() : 24;
    for (char& c : text) c = letters[random() % choice];
    if (!text.empty() && random() % 4 == 0) text.front() = '-';
    const ByteBuffer buffer = padded(text, round % 2 == 0 ? '1' : '.');
    ASSERT_EQ(is_json_number_padded(buffer.data(), text.size()), is_json_number(text)) << text;
  }
}

TEST(JsonBytes, PutsNumbersThatAreNearOrFar) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  NearNumber near;
  std::uint64_t value = 0;
  for (int round = 0; round < 100'000; ++round) {
    value = random() % 50 == 0 ? random() >> random() % 64 : value + random() % 300'000;
    ASSERT_EQ(number(value, [&](char* at, std::uint64_t it) { return near.put(at, it); }), std::to_string(value));
    ASSERT_EQ(number(value, [](char* at, std::uint64_t it) { return put(at, it); }), std::to_string(value));
  }
}

TEST(JsonBytes, PutsNearNumbersAroundEveryPowerOfTen) {
  NearNumber near;
  for (std::uint64_t power = 1, digits = 1; digits <= 20; power *= 10, ++digits) {
    for (const std::uint64_t value : {power - 1, power, power + 1}) {
      EXPECT_EQ(number(value, [&](char* at, std::uint64_t it) { return near.put(at, it); }), std::to_string(value));
    }
  }
}

}  // namespace
}  // namespace walcat::test
