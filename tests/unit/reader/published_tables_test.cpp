#include "reader/published_tables.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kind = TableFinding::Kind;

constexpr Lsn kThen{0x100};
constexpr Lsn kNow{0x200};

FollowedTable known(std::uint32_t oid, const std::string& name, const std::string& membership) {
  return {oid, {"public", name}, membership, kThen};
}

MemberTable member(std::uint32_t oid, const std::string& name, const std::string& membership) {
  MemberTable member;
  member.table = member.as = {oid, {"public", name}};
  member.membership = membership;
  return member;
}

MemberTable whole(MemberTable table) {
  table.is_whole = true;
  return table;
}

// What is found, as `kind name`, with `+` where rows are missing.
class PublishedTables : public testing::Test {
 protected:
  std::vector<std::string> review(const std::vector<FollowedTable>& before, const std::vector<MemberTable>& now) {
    TableRules rules;
    rules.wants = [this](const NamedTable& table) { return !unwanted_.contains(table.name.table); };
    rules.lists = [this](const TableName& name) { return listed_.contains(name.table); };
    rules.by_name = by_name_;
    rules.blind_since = blind_since_;
    TableReview made = review_tables(before, now, rules, kNow);
    known_ = std::move(made.known);
    needs_session_ = made.needs_session;
    std::vector<std::string> found;
    for (const TableFinding& finding : made.findings) {
      static const char* const kNames[] = {"entered", "replaced", "back",    "missed", "lessened",
                                           "left",    "dropped",  "renamed", "away"};
      found.push_back(std::string(kNames[static_cast<int>(finding.kind)]) + " " + finding.now.table.name.table +
                      (finding.lacks_rows ? "+" : "") + finding.operations);
    }
    return found;
  }

  std::set<std::string> unwanted_;
  std::set<std::string> listed_;
  bool by_name_ = false;
  std::optional<Lsn> blind_since_;
  std::vector<FollowedTable> known_;
  bool needs_session_ = false;
};

TEST_F(PublishedTables, ThatAreAsTheyWereAreNoNews) {
  const std::vector<FollowedTable> before = {known(1, "a", "r10"), known(2, "b", "p5 r11/7")};
  EXPECT_THAT(review(before, {member(1, "a", "r10"), member(2, "b", "p5 r12/7")}), IsEmpty());
  EXPECT_EQ(known_[0], before[0]);
  EXPECT_EQ(known_[1].membership, "p5 r12/7") << "one of its ways is as it was";
  EXPECT_EQ(known_[1].since, kThen);
}

TEST_F(PublishedTables, ThatEnterLackRowsUnlessTheyWereMadeThere) {
  EXPECT_THAT(review({}, {member(1, "a", "r10"), whole(member(2, "b", "p5"))}), ElementsAre("entered a+"));
  EXPECT_THAT(known_, ElementsAre(FollowedTable{1, {"public", "a"}, "r10", kNow},
                                  FollowedTable{2, {"public", "b"}, "p5", kNow}));
}

TEST_F(PublishedTables, ThatWereAttachedUnderABlindStreamEnterWithTheNextSession) {
  MemberTable attached = member(1, "a", "r10/7");
  attached.was_attached = true;
  blind_since_ = kThen;
  EXPECT_THAT(review({}, {attached}), IsEmpty());
  EXPECT_TRUE(needs_session_);
  const FollowedTable awaited{1, {"public", "a"}, "?r10/7", kNow};
  EXPECT_THAT(known_, ElementsAre(awaited));
  EXPECT_THAT(review({awaited}, {attached}), IsEmpty()) << "it began before that was seen";
  EXPECT_TRUE(needs_session_);
  blind_since_ = kNow;
  EXPECT_THAT(review({awaited}, {attached}), ElementsAre("entered a+"));
  EXPECT_FALSE(needs_session_);
  EXPECT_THAT(known_, ElementsAre(FollowedTable{1, {"public", "a"}, "r10/7", kNow}));
  attached.membership = "r10/8";
  blind_since_ = kThen;
  EXPECT_THAT(review({awaited}, {attached}), IsEmpty()) << "attached anew";
  EXPECT_TRUE(needs_session_);
}

TEST_F(PublishedTables, OfWhichOperationsAreLeftOut) {
  const FollowedTable before = known(1, "a", "o7.iud.10v r10");
  const auto now = [&](const std::string& form) { return review({before}, {member(1, "a", form + " r10")}); };
  EXPECT_THAT(now("o7.iud.10v"), IsEmpty());
  EXPECT_EQ(known_[0].since, kThen);
  EXPECT_THAT(now("o8.id.10v"), ElementsAre("lessened au"));
  EXPECT_EQ(known_[0].since, kNow) << "from there on they do not come";
  EXPECT_THAT(now("o8.iudt.10v"), ElementsAre("missed a+t"));
  EXPECT_THAT(now("o8.iut.10v"), ElementsAre("missed a+t", "lessened ad"));
  EXPECT_THAT(now("o8.iud.10v"), ElementsAre("missed a+iud")) << "switched off and on, for all that is known";
  EXPECT_THAT(now("o8.iud.10"), IsEmpty()) << "its root is another reason to alter it";
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(1, "a", "o8.iud.10 r10")}), IsEmpty()) << "it was not kept then";
  EXPECT_THAT(review({before}, {member(1, "a", "o7.iud.10v r11")}), ElementsAre("back a+"));
}

TEST_F(PublishedTables, ThatHadAnotherNameMayHaveBeenUnwanted) {
  MemberTable renamed = whole(member(1, "a", "p5"));
  renamed.was_renamed = true;
  EXPECT_THAT(review({}, {renamed}), IsEmpty());
  by_name_ = true;
  EXPECT_THAT(review({}, {renamed}), ElementsAre("entered a+"));
}

TEST_F(PublishedTables, OfAnotherOidUnderAKnownNameReplaceTheOnesBefore) {
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(2, "a", "r11")}), ElementsAre("replaced a+"));
  EXPECT_THAT(review({known(1, "a", "p5")}, {whole(member(2, "a", "p5"))}), ElementsAre("replaced a"));
  EXPECT_THAT(known_, ElementsAre(FollowedTable{2, {"public", "a"}, "p5", kNow}));
}

TEST_F(PublishedTables, ThatSwapTheirNamesAreTold) {
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(1, "old", "r10"), member(2, "a", "r11")}),
              ElementsAre("renamed old", "replaced a+"));
  EXPECT_EQ(known_[0].name.table, "old");
  listed_ = {"a"};
  review({known(1, "a", "r10")}, {member(1, "old", "r10"), member(2, "a", "r11")});
  EXPECT_EQ(known_[0].name.table, "a") << "what is listed stays known by that name";
  EXPECT_THAT(review(known_, {member(1, "old", "r10"), member(2, "a", "r11")}), ElementsAre("renamed old"));
}

TEST_F(PublishedTables, ThatLeaveAreKnownUntilTheyComeBackOrAreDropped) {
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(1, "a", "")}), ElementsAre("left a"));
  const auto left = known_;
  EXPECT_THAT(left, ElementsAre(FollowedTable{1, {"public", "a"}, "", kNow}));
  EXPECT_THAT(review(left, {member(1, "a", "")}), IsEmpty());
  EXPECT_THAT(known_, left);
  EXPECT_THAT(review(left, {member(1, "a", "r11")}), ElementsAre("back a+"));
  EXPECT_THAT(review(left, {}), ElementsAre("dropped a"));
  EXPECT_THAT(known_, IsEmpty());
}

TEST_F(PublishedTables, ThatWereAwayUnseenAreToldByTheWayTheyArePublished) {
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(1, "a", "r11")}), ElementsAre("back a+"));
  EXPECT_THAT(review({known(1, "a", "n4.7")}, {member(1, "a", "n4.9")}), ElementsAre("back a+"));
  EXPECT_THAT(review({known(1, "a", "r10/7")}, {member(1, "a", "r10/9")}), ElementsAre("back a+"));
}

TEST_F(PublishedTables, ThatNobodyWantsAreNotKnown) {
  unwanted_ = {"a", "b"};
  EXPECT_THAT(review({known(1, "a", "r10")}, {member(1, "a", "r11"), member(2, "b", "r12"), member(3, "c", "")}),
              IsEmpty());
  EXPECT_THAT(known_, IsEmpty());
}

TEST_F(PublishedTables, ThatAreRenamedOutOfThePatternsAreTold) {
  by_name_ = true;
  unwanted_ = {"b"};
  EXPECT_THAT(review({known(1, "a", "p5")}, {member(1, "b", "p5")}), ElementsAre("away b"));
  EXPECT_THAT(known_, IsEmpty());
}

TEST_F(PublishedTables, TakesAnotherNameForChangesForNoAbsence) {
  EXPECT_THAT(review({known(1, "leaf", "p10@7")}, {whole(member(1, "leaf", "p10"))}), IsEmpty());
  EXPECT_THAT(review({known(1, "leaf", "p10")}, {whole(member(1, "leaf", "p10@7"))}), IsEmpty());
  EXPECT_THAT(review({known(1, "leaf", "r10/5@7")}, {whole(member(1, "leaf", "r10/6@7"))}), ElementsAre("back leaf+"));
}

TEST_F(PublishedTables, MissesRowsThatAPartitionHadBeforeItWasAttachedUnderAName) {
  MemberTable attached = whole(member(1, "leaf", "p10"));
  attached.was_attached = true;
  EXPECT_THAT(review({}, {attached}), IsEmpty());
  by_name_ = true;
  EXPECT_THAT(review({}, {attached}), ElementsAre("entered leaf+"));
}

}  // namespace
}  // namespace walcat::test
