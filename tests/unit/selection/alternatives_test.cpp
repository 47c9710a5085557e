// Each alternative of a pattern by itself.

#include "selection/alternatives.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace walcat::test {
namespace {

using selection::single_alternatives;
using testing::ElementsAre;

TEST(SingleAlternatives, AreThoseAtTheTopAndInGroups) {
  EXPECT_THAT(single_alternatives("a|b"), ElementsAre("a", "b"));
  EXPECT_THAT(single_alternatives(".*\\.(email|ssn)"), ElementsAre(".*\\.(email)", ".*\\.(ssn)"));
  EXPECT_THAT(single_alternatives("(?:a|b)c"), ElementsAre("(?:a)c", "(?:b)c"));
  EXPECT_THAT(single_alternatives("x(a|)"), ElementsAre("x(a)", "x()"));
}

TEST(SingleAlternatives, LeaveOtherGroupsWhole) {
  EXPECT_THAT(single_alternatives("(a|b)\\.(c|d)"),
              ElementsAre("(a)\\.(c|d)", "(b)\\.(c|d)", "(a|b)\\.(c)", "(a|b)\\.(d)"));
}

TEST(SingleAlternatives, OfInnerGroupsStandInTheirOuterOne) {
  EXPECT_THAT(single_alternatives("((a|b)x|c)"), ElementsAre("((a)x)", "((b)x)", "(c)"));
}

TEST(SingleAlternatives, KeepFlagsOfTheWholePattern) {
  EXPECT_THAT(single_alternatives("(?i)a|b"), ElementsAre("(?i)a", "(?i)b"));
  EXPECT_THAT(single_alternatives("(?i:a|b)"), ElementsAre("(?i:a)", "(?i:b)"));
}

TEST(SingleAlternatives, AreNotSoughtWhereABarIsNone) {
  for (const char* whole :
       {"plain", "[a|b]", "[]|]", "a\\|b", "(a|b)*", "(a|b){2}", "\\Qa|b\\E", "a(?i)b|c", "[[:alpha:]|]"})
    EXPECT_THAT(single_alternatives(whole), ElementsAre(whole));
}

}  // namespace
}  // namespace walcat::test
