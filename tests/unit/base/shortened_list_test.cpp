#include "walcat/base/shortened_list.h"

#include <gtest/gtest.h>

namespace walcat::test {
namespace {

TEST(ShortenedList, EndsWithTheNumberOfWhatIsLeftOut) {
  const std::vector<std::string> three = {"a", "b", "c"};
  EXPECT_EQ(shortened_list({}), "");
  EXPECT_EQ(shortened_list(three), "a, b, c");
  EXPECT_EQ(shortened_list(three, " ", 3), "a b c");
  EXPECT_EQ(shortened_list(three, "; ", 2), "a; b and 1 more");
  EXPECT_EQ(shortened_list(std::vector<std::string>(13, "x"), ""), "xxxxxxxxxx and 3 more");
}

}  // namespace
}  // namespace walcat::test
