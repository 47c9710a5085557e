#include "walcat/base/json_string.h"

#include <gtest/gtest.h>
#include <simdjson.h>

namespace walcat {
namespace {

TEST(JsonString, QuotesTexts) {
  EXPECT_EQ(json_string(""), R"("")");
  EXPECT_EQ(json_string("plain / text"), R"("plain / text")");
  EXPECT_EQ(json_string("a\"b\\c"), R"("a\"b\\c")");
  EXPECT_EQ(json_string("\t\n\x01\x1f"), R"("\u0009\u000a\u0001\u001f")");
  EXPECT_EQ(json_string("ü€😀\u00a0"), "\"ü€😀\u00a0\"");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(JsonString, EscapesWhatATerminalObeys) {
  EXPECT_EQ(json_string("\x7f\u0080\u009b\u2028\u2029\u202e"), "\"\\u007f\\u0080\\u009b\\u2028\\u2029\u202e\"");
}

TEST(JsonString, RepairsWhatIsNoText) { EXPECT_EQ(json_string("a\xff\xc3\"\xe2\x82"), "\"a\uFFFD\uFFFD\\\"\uFFFD\""); }

TEST(JsonString, IsReadBackByteForByte) {
  std::string text;
  for (int c = 1; c < 0x80; ++c) text += static_cast<char>(c);
  text += std::string_view("\0ü\u0080\u009b\u2028", 10);
  simdjson::dom::parser parser;
  const simdjson::padded_string json(json_string(text));
  EXPECT_EQ(std::string_view(parser.parse(json)), text);
}

}  // namespace
}  // namespace walcat
