#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "walcat/postgres/server.h"

namespace walcat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TimelineHistory, NamesWhereEachTimelineWasLeft) {
  EXPECT_THAT(parse_timeline_history("1\t0/3000060\tno recovery target specified\n"
                                     "2\t1/4000000\tbefore 2026-01-31 12:00:00+00\n"),
              ElementsAre(TimelineSwitch{1, Lsn{0x3000060}}, TimelineSwitch{2, Lsn{0x104000000}}));
}

TEST(TimelineHistory, NeedsNoReasonAndNoLastLineFeed) {
  EXPECT_THAT(parse_timeline_history("1\t0/10"), ElementsAre(TimelineSwitch{1, Lsn{0x10}}));
}

TEST(TimelineHistory, PassesOverWhatMakesNoSense) {
  EXPECT_THAT(parse_timeline_history(""), IsEmpty());
  EXPECT_THAT(parse_timeline_history("# a comment\n\n0\t0/10\n1 0/10\n1\tnowhere\tx\n3\t0/30\tx\n"),
              ElementsAre(TimelineSwitch{3, Lsn{0x30}}));
}

}  // namespace
}  // namespace walcat
