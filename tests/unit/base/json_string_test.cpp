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
  EXPECT_EQ(json_string("ü€😀\x7f"), "\"ü€😀\x7f\"");
  EXPECT_EQ(json_string(std::string_view("a\0b", 3)), R"("a\u0000b")");
}

TEST(JsonString, IsReadBackByteForByte) {
  std::string text;
  for (char c = 1; c != 0 && c < 0x7f; ++c) text += c;
  text += std::string_view("\0ü", 3);
  simdjson::dom::parser parser;
  const simdjson::padded_string json(json_string(text));
  EXPECT_EQ(std::string_view(parser.parse(json)), text);
}

}  // namespace
}  // namespace walcat
