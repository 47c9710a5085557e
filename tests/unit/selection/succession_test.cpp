// What became of columns, told by names and order.

#include "selection/succession.h"

#include <gtest/gtest.h>

#include <sstream>

namespace walcat::test {
namespace {

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  return {std::istream_iterator<std::string>(stream), {}};
}

// What column `email` of `before` has become in `now`; `-`: it was dropped.
std::string successor(const std::string& before, const std::string& now) {
  const auto old_names = words(before);
  const auto names = words(now);
  const auto is_feared = [&](std::size_t i, std::size_t j) { return old_names[i] == "email" && names[j] != "email"; };
  const auto successors = selection::likeliest_successors(old_names, names, is_feared);
  for (std::size_t i = 0; i < old_names.size(); ++i) {
    if (old_names[i] != "email") continue;
    return successors[i] == selection::kNoColumn ? "-" : names[successors[i]];
  }
  return "?";
}

TEST(Succession, SeesRenames) {
  EXPECT_EQ(successor("id email name", "id mail name"), "mail");
  EXPECT_EQ(successor("id email name", "id name email"), "name") << "an exchange of names";
  EXPECT_EQ(successor("id email name", "id mail email"), "mail") << "and the name given on";
  EXPECT_EQ(successor("email a b name", "name a b email"), "name");
}

TEST(Succession, LeavesWhatStaysWhereItIs) {
  EXPECT_EQ(successor("id email name", "id email name phone"), "email");
  EXPECT_EQ(successor("id a email", "id email b"), "email") << "one dropped, one added";
  EXPECT_EQ(successor("id email name city", "id email fullname city"), "email");
  EXPECT_EQ(successor("id a email name", "id email fullname"), "email");
  EXPECT_EQ(successor("id email", "id phone email"), "email") << "the publication's list has grown";
  EXPECT_EQ(successor("id email name", "id name"), "-");
  EXPECT_EQ(successor("", "id"), "?");
}

}  // namespace
}  // namespace walcat::test
