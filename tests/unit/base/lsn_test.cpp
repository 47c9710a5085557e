#include "walcat/base/lsn.h"

#include <gtest/gtest.h>

namespace walcat {
namespace {

TEST(Lsn, PrintsAsPostgresDoes) {
  EXPECT_EQ(Lsn{0x16B374D848}.to_string(), "16/B374D848");
  EXPECT_EQ(Lsn{0x15E4C58}.to_string(), "0/15E4C58");
  EXPECT_EQ(Lsn{}.to_string(), "0/0");
  EXPECT_EQ(Lsn{~std::uint64_t{0}}.to_string(), "FFFFFFFF/FFFFFFFF");
}

TEST(Lsn, ReadsWhatItPrints) {
  for (const std::uint64_t value :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0x100000000}, ~std::uint64_t{0}}) {
    EXPECT_EQ(Lsn::parse(Lsn{value}.to_string()), Lsn{value});
  }
  EXPECT_EQ(Lsn::parse("a/0b"), (Lsn{0xA0000000B}));
}

TEST(Lsn, RefusesAnythingElse) {
  for (const char* text : {"", "/", "1", "1/", "/1", "1/2/3", " 1/2", "1/2 ", "1/g", "-1/2", "+1/2", "0x1/2",
                           "123456789/0", "0/123456789"}) {
    EXPECT_FALSE(Lsn::parse(text).has_value()) << text;
  }
}

TEST(Lsn, OrdersByPositionAndIsFalseAtZero) {
  EXPECT_LT((Lsn{1}), (Lsn{2}));
  EXPECT_FALSE(static_cast<bool>(Lsn{}));
  EXPECT_TRUE(static_cast<bool>(Lsn{1}));
}

}  // namespace
}  // namespace walcat
