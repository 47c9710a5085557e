#include "walcat/base/byte_reader.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

using namespace std::string_view_literals;

TEST(ByteReader, ReadsBigEndianFields) {
  ByteReader reader("\x01\x02\x03\x04\x05\x06\x07\xff\xff\xff\xfe\x00\x00\x00\x00\x00\x00\x01\x00"sv);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607U);
  EXPECT_EQ(reader.i32(), -2);
  EXPECT_EQ(reader.u64(), 0x100U);
  EXPECT_FALSE(reader.failed());
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReader, ReadsSignedFields) {
  ByteReader reader("\xff\xfe\xff\xff\xff\xff\xff\xff\xff\xff"sv);
  EXPECT_EQ(reader.i16(), -2);
  EXPECT_EQ(reader.i64(), -1);
}

TEST(ByteReader, StepsOverTheEndOfAString) {
  ByteReader reader("ab\0c\0"sv);
  EXPECT_EQ(reader.cstring(), "ab");
  EXPECT_EQ(reader.offset(), 3U);
  EXPECT_EQ(reader.cstring(), "c");
  EXPECT_EQ(reader.cstring(), "");
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, FailsForGoodAtTheEnd) {
  ByteReader reader("\x01\x02\x03"sv);
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_TRUE(reader.failed());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_EQ(reader.remaining(), 0U);
  EXPECT_EQ(reader.bytes(1), "");
}

TEST(ByteReader, FailsOnAStringWithoutEnd) {
  ByteReader reader("abc"sv);
  EXPECT_EQ(reader.cstring(), "");
  EXPECT_TRUE(reader.failed());
}

TEST(ByteReader, RefusesMoreBytesThanThereAre) {
  ByteReader reader("abc"sv);
  EXPECT_EQ(reader.bytes(2), "ab");
  EXPECT_EQ(reader.bytes(~std::size_t{0}), "");
  EXPECT_TRUE(reader.failed());
}

}  // namespace
}  // namespace walcat
