// What the offset file knows of the tables that it speaks for.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "offsets/stored_offset.h"

namespace walcat::test {
namespace {

using testing::HasSubstr;
using testing::Not;

Offset with_tables(std::vector<FollowedTable> tables) {
  Offset offset{"7301234567890123456", 3, "db1", "slot1", "pub1", {Lsn{0x16B374D848}, Lsn{}, 0}};
  offset.published = std::move(tables);
  return offset;
}

const FollowedTable kTable{16385, {"public", "t"}, "r16420/732", Lsn{0x15E4C58}};

class FollowedTablesInTheFile : public StoredOffset {};

TEST_F(FollowedTablesInTheFile, StandInAFormThatPeopleRead) {
  EXPECT_THAT(
      stored(with_tables({kTable})),
      HasSubstr(R"("published":[{"oid":16385,"table":"public.t","membership":"r16420/732","since":"0/15E4C58"}],)"));
}

TEST_F(FollowedTablesInTheFile, ComeBackAsTheyWere) {
  for (const auto& tables : std::vector<std::vector<FollowedTable>>{
           {}, {kTable}, {kTable, {4294967295, {"A.b", "c\"d\\"}, "", Lsn{~std::uint64_t{0}}}}}) {
    EXPECT_EQ(stored_and_loaded(with_tables(tables)), with_tables(tables));
  }
}

TEST_F(FollowedTablesInTheFile, AreNotThereInFilesOfEarlierVersions) {
  Offset offset = with_tables({});
  offset.published.reset();
  EXPECT_THAT(stored(offset), Not(HasSubstr("published")));
  EXPECT_EQ(loaded(), offset);
}

TEST_F(FollowedTablesInTheFile, ThatDoNotFitAreAGap) {
  const std::vector<std::pair<std::string, std::string>> wrong{
      {R"("oid":16385)", R"("oid":4294967296)"},
      {R"("oid":16385)", R"("oid":-1)"},
      {R"("oid":16385,)", ""},
      {R"("table":"public.t")", R"("table":"t")"},
      {R"("membership":"r16420/732")", R"("membership":null)"},
      {R"("since":"0/15E4C58")", R"("since":"x")"},
      {R"("published":[)", R"("published":[7,)"},
  };
  for (const auto& [from, to] : wrong) {
    SCOPED_TRACE(to);
    expect_gap(stored_with(with_tables({kTable}), from, to));
  }
}

}  // namespace
}  // namespace walcat::test
