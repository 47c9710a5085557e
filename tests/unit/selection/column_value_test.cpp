#include "walcat/selection/column_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>

#include "rules.h"

namespace walcat::test {
namespace {

using Digest = ColumnRule::Digest;

std::string ruled(const ColumnRule& rule, std::string_view text) {
  std::string scratch;
  return std::string(ruled_value(rule, text, scratch));
}

std::string cut(std::string_view text, std::size_t length) { return ruled(truncate(length), text); }

std::string hashed(Digest digest, const std::string& salt, std::string_view text) {
  return ruled(hash(digest, salt), text);
}

TEST(ColumnValue, IsPrintedAsItStandsWithoutARule) {
  EXPECT_EQ(ruled({}, "a\xff"), "a\xff");
  EXPECT_EQ(ruled(rule(ColumnRule::Action::kOmit), "secret"), "");
}

TEST(ColumnValue, IsReplacedByItsMaskWhateverItIs) {
  EXPECT_EQ(ruled(mask("***"), "secret"), "***");
  EXPECT_EQ(ruled(mask("***"), ""), "***");
  EXPECT_EQ(ruled(mask(""), "secret"), "");
}

TEST(ColumnValue, IsCutAfterItsFirstCharacters) {
  EXPECT_EQ(cut("abcdef", 3), "abc");
  EXPECT_EQ(cut("abc", 3), "abc");
  EXPECT_EQ(cut("abc", 1U << 30), "abc");
  EXPECT_EQ(cut("abc", 0), "");
  EXPECT_EQ(cut("", 3), "");
}

TEST(ColumnValue, IsNeverCutInsideACharacter) {
  EXPECT_EQ(cut("größe", 3), "grö");
  EXPECT_EQ(cut("größe", 4), "größ");
  EXPECT_EQ(cut("größe", 5), "größe");
  EXPECT_EQ(cut("€€", 1), "€");
  EXPECT_EQ(cut("a😀b", 2), "a😀");
  EXPECT_EQ(cut("e\u0301x", 1), "e") << "a combining mark is a character of its own";
}

TEST(ColumnValue, IsCutShortEvenIfItIsNoUtf8) {
  EXPECT_EQ(cut("\x80\x80\x80\x80", 2), "\x80\x80");
  EXPECT_EQ(cut("\xE2\x82z\xE2\x82", 1), "\xE2\x82");
  EXPECT_EQ(cut("\xE2\x82z\xE2\x82", 2), "\xE2\x82z");
  EXPECT_EQ(cut("\xC0\xAF\xED\xA0\x80", 3), "\xC0\xAF\xED");
  EXPECT_EQ(cut("\xF0\x9F\x98z", 1), "\xF0\x9F\x98");
}

// Test vectors of FIPS 180-2 and RFC 1321; the salt is their beginning.
TEST(ColumnValue, IsDigestedBehindItsSalt) {
  EXPECT_EQ(hashed(Digest::kSha256, "a", "bc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hashed(Digest::kSha256, "abc", ""), hashed(Digest::kSha256, "", "abc"));
  EXPECT_EQ(hashed(Digest::kSha512, "ab", "c"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(hashed(Digest::kMd5, "a", "bc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hashed(Digest::kMd5, "", ""), "d41d8cd98f00b204e9800998ecf8427e");
}

TEST(ColumnValue, IsDigestedAnewEachTime) {
  std::string scratch;
  const ColumnRule long_one = hash(Digest::kSha512, "s");
  const ColumnRule short_one = hash(Digest::kMd5, "");
  EXPECT_EQ(ruled_value(long_one, "x", scratch).size(), 128U);
  EXPECT_EQ(ruled_value(short_one, "abc", scratch), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(ruled_value(short_one, "abc", scratch), "900150983cd24fb0d6963f7d28e17f72");
}

TEST(ColumnValue, ViewsItsSourceUnlessItIsDigested) {
  const std::string text = "some text that is longer than any small string";
  const ColumnRule masked = mask("a mask that is longer than any small string");
  std::string scratch = "kept";
  EXPECT_EQ(ruled_value({}, text, scratch).data(), text.data());
  EXPECT_EQ(ruled_value(truncate(40), text, scratch).data(), text.data());
  EXPECT_EQ(ruled_value(masked, text, scratch).data(), masked.mask.data());
  EXPECT_EQ(scratch, "kept");
  const std::string_view digest = ruled_value(hash(Digest::kSha256, "s"), text, scratch);
  EXPECT_EQ(digest.data(), scratch.data());
}

TEST(ColumnValue, IsDigestedAlikeOnEveryThread) {
  const std::string expected = hashed(Digest::kSha256, "s", "x");
  std::string first;
  std::string second;
  std::thread one([&] { first = hashed(Digest::kSha256, "s", "x"); });
  std::thread other([&] { second = hashed(Digest::kSha256, "s", "x"); });
  one.join();
  other.join();
  EXPECT_EQ(first, expected);
  EXPECT_EQ(second, expected);
}

}  // namespace
}  // namespace walcat::test
