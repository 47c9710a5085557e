// The bytes of strings and numbers, against a plain implementation and a real parser.

#include "serializer/line_writer.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <limits>
#include <random>

namespace walcat::test {
namespace {

template <typename Write>
std::string written(Write write, std::size_t capacity = 0) {
  ByteBuffer buffer(capacity);
  LineWriter out(buffer);
  write(out);
  out.close();
  return std::string(buffer.view());
}

// What LineWriter::string() must give, byte by byte.
std::string reference(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    static const std::string kShort = "\"\"\\\\\bb\ff\nn\rr\tt";
    bool done = false;
    for (std::size_t i = 0; i < kShort.size(); i += 2) {
      if (kShort[i] != c) continue;
      out += '\\';
      out += kShort[i + 1];
      done = true;
    }
    if (done) continue;
    if (byte < 0x20) {
      const char* hex = "0123456789ABCDEF";
      out += "\\u00";
      out += hex[byte >> 4];
      out += hex[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

// A source as the serializer has it: slack behind the text, full of what would need escapes.
std::string string_of(std::string_view text, std::size_t capacity = 0) {
  ByteBuffer padded(text.size());
  padded.append(text);
  std::memset(padded.end(), '"', ByteBuffer::kSlack);
  return written([&](LineWriter& out) { out.string(padded.view()); }, capacity);
}

void expect_right(std::string_view text) {
  const std::string json = string_of(text);
  ASSERT_EQ(json, reference(text));
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return;  // Alone no UTF-8, which the parser insists on.
  }
  static simdjson::dom::parser parser;
  std::string_view back;
  ASSERT_EQ(parser.parse(json).get(back), simdjson::SUCCESS) << json;
  ASSERT_EQ(back, text);
}

TEST(LineWriter, EscapesEveryByteAtEveryPlaceAroundABlock) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const std::size_t size : {1U, 2U, 15U, 16U, 17U, 31U, 32U, 33U, 48U}) {
      for (const std::size_t place : {0U, 1U, 14U, 15U, 16U, 17U, 30U, 31U, 32U, 47U}) {
        if (place >= size) continue;
        std::string text(size, 'a');
        text[place] = static_cast<char>(byte);
        expect_right(text);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(LineWriter, EscapesNeighboursAcrossBlocks) {
  for (std::size_t size = 0; size <= 70; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      std::string text(size, 'z');
      text[place] = '\n';
      if (place + 1 < size) text[place + 1] = '"';
      if (place + 16 < size) text[place + 16] = '\0';
      expect_right(text);
      if (HasFatalFailure()) return;
    }
    expect_right(std::string(size, '\x1F'));
  }
}

TEST(LineWriter, EscapesTextOfEveryKindAndLength) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string text(random() % 300, 'x');
    const std::uint64_t one_in = 1 + random() % 40;
    for (char& c : text) {
      if (random() % one_in == 0) c = static_cast<char>(random() % 128);
    }
    expect_right(text);
    if (HasFatalFailure()) return;
  }
}

TEST(LineWriter, LeavesTextBeyondAsciiAsItIs) {
  for (const char* text : {"äöü", "日本語テキスト日本語テキスト", "🐘🐘🐘🐘🐘", "\u2028\u2029", "\x7F"}) {
    EXPECT_EQ(string_of(text), '"' + std::string(text) + '"');
  }
}

TEST(LineWriter, GrowsItsBufferInTheMiddleOfAString) {
  for (std::size_t capacity = 0; capacity < 64; ++capacity) {
    const std::string text(40, '\x02');
    EXPECT_EQ(string_of(text, capacity), reference(text));
  }
  const std::string large = std::string(100'000, 'a') + '\n' + std::string(100'000, '\x03') + std::string(100'000, 'b');
  EXPECT_EQ(string_of(large), reference(large));
}

TEST(LineWriter, PrintsNumbersOfEveryWidth) {
  const auto number = [](auto value) { return written([&](LineWriter& out) { out.number(value); }); };
  std::uint64_t power = 1;
  for (int digits = 1; digits <= 20; ++digits, power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 9}) {
      EXPECT_EQ(number(value), std::to_string(value));
      EXPECT_EQ(number(static_cast<std::int64_t>(value)), std::to_string(static_cast<std::int64_t>(value)));
      EXPECT_EQ(number(-static_cast<std::int64_t>(value >> 1)), std::to_string(-static_cast<std::int64_t>(value >> 1)));
    }
  }
  EXPECT_EQ(number(std::uint64_t{0}), "0");
  EXPECT_EQ(number(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::max()), "9223372036854775807");
  EXPECT_EQ(number(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(number(std::int64_t{-1}), "-1");
}

TEST(LineWriter, CopiesRawTextOfEveryLength) {
  std::string text;
  for (int size = 0; size < 100; ++size, text += static_cast<char>('a' + size % 26)) {
    ByteBuffer padded(text.size());
    padded.append(text);
    EXPECT_EQ(written([&](LineWriter& out) {
                out.raw(padded.view());
                out.literal("|");
                out.raw(padded.view());
              }),
              text + "|" + text);
  }
}

}  // namespace
}  // namespace walcat::test
