// Which frames of a stream become lines, told before anybody decodes them.

#include "walcat/reader/change_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "decoder/frames.h"
#include "walcat/model/change.h"

namespace walcat::test {
namespace {

constexpr std::uint32_t kOrders = 16384;
constexpr std::uint32_t kSecrets = 16385;

std::string table(std::uint32_t oid, const std::string& name, const std::string& schema = "public") {
  return at(0, relation({oid, schema, name, 'd', {{"id", kInt4, true}}}));
}

std::string insert_into(std::uint32_t oid) { return at(0, insert(oid, {"1"})); }

std::uint32_t bit(Operation operation) { return std::uint32_t{1} << static_cast<unsigned>(operation); }

std::shared_ptr<const Selection> without(const std::string& pattern) {
  SelectionOptions options;
  options.exclude_tables = {pattern};
  return Selection::compile(options).value();
}

// One frame of each kind that is a change, in the order I, U, D, T, M.
std::vector<bool> passing_of_each_kind(ChangeFilter& filter) {
  const std::vector<std::string> frames{insert_into(kOrders), at(0, update(kOrders, {"1"})),
                                        at(0, remove(kOrders, 'K', {"1"})), at(0, truncate({kOrders})),
                                        at(0, logical_message(true, 1, "p", "c"))};
  std::vector<bool> passing;
  for (const std::string& frame : frames) passing.push_back(filter.passes(frame));
  return passing;
}

TEST(ChangeFilter, PassesWhatBecomesALineAndNothingElse) {
  ChangeFilter filter(nullptr, 0);
  EXPECT_FALSE(filter.passes(table(kOrders, "orders")));
  EXPECT_EQ(passing_of_each_kind(filter), (std::vector<bool>{true, true, true, true, true}));
  EXPECT_TRUE(filter.passes(at(0, logical_message(false, 1, "p", "c")))) << "outside of a transaction too";
  for (const std::string& message :
       {begin(100), commit(100, 110), origin(90, "o"), type(20000, "public", "mood"), std::string()}) {
    EXPECT_FALSE(filter.passes(at(0, message))) << message.substr(0, 1);
  }
  EXPECT_FALSE(filter.passes(keepalive(100)));
  EXPECT_FALSE(filter.passes(""));
}

TEST(ChangeFilter, HoldsBackSkippedOperations) {
  const std::vector<Operation> operations{Operation::kInsert, Operation::kUpdate, Operation::kDelete,
                                          Operation::kTruncate, Operation::kMessage};
  for (std::size_t i = 0; i < operations.size(); ++i) {
    ChangeFilter filter(nullptr, bit(operations[i]));
    std::vector<bool> expected(operations.size(), true);
    expected[i] = false;
    EXPECT_EQ(passing_of_each_kind(filter), expected) << i;
  }
  ChangeFilter none(nullptr, bit(Operation::kInsert) | bit(Operation::kMessage));
  EXPECT_EQ(passing_of_each_kind(none), (std::vector<bool>{false, true, true, true, false}));
}

TEST(ChangeFilter, HoldsBackTablesThatAreNotSelected) {
  ChangeFilter filter(without("public\\.secrets"), 0);
  filter.passes(table(kOrders, "orders"));
  filter.passes(table(kSecrets, "secrets"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(filter.passes(insert_into(kOrders)));
    EXPECT_FALSE(filter.passes(insert_into(kSecrets)));
    EXPECT_FALSE(filter.passes(at(0, update(kSecrets, {"1"}))));
    EXPECT_FALSE(filter.passes(at(0, remove(kSecrets, 'K', {"1"}))));
  }
}

TEST(ChangeFilter, PassesATruncateOfAnySelectedTable) {
  ChangeFilter filter(without("public\\.secrets"), 0);
  filter.passes(table(kOrders, "orders"));
  filter.passes(table(kSecrets, "secrets"));
  EXPECT_FALSE(filter.passes(at(0, truncate({kSecrets}))));
  EXPECT_TRUE(filter.passes(at(0, truncate({kSecrets, kOrders}))));
}

// On the wire the catalog's schema has no name.
TEST(ChangeFilter, KnowsTheCatalogBySchema) {
  ChangeFilter filter(without("pg_catalog\\..*"), 0);
  filter.passes(table(1259, "pg_class", ""));
  EXPECT_FALSE(filter.passes(insert_into(1259)));
}

TEST(ChangeFilter, PassesRelationsThatNobodyDescribed) {
  ChangeFilter filter(without(".*"), 0);
  EXPECT_TRUE(filter.passes(insert_into(kOrders)));
  EXPECT_TRUE(filter.passes(insert_into(0)));
}

TEST(ChangeFilter, FollowsARelationThatIsDescribedAnew) {
  ChangeFilter filter(without("public\\.secrets"), 0);
  filter.passes(table(kOrders, "orders"));
  EXPECT_TRUE(filter.passes(insert_into(kOrders)));
  filter.passes(table(kOrders, "secrets"));
  EXPECT_FALSE(filter.passes(insert_into(kOrders)));
  filter.passes(table(kOrders, "orders"));
  EXPECT_TRUE(filter.passes(insert_into(kOrders)));
}

TEST(ChangeFilter, HoldsBackMessagesOfOurOwn) {
  ChangeFilter filter(nullptr, 0);
  EXPECT_FALSE(filter.passes(at(0, logical_message(false, 1, "walcat.heartbeat", ""))));
  EXPECT_FALSE(filter.passes(at(0, logical_message(true, 1, "walcat.snapshot", "{}"))));
  EXPECT_TRUE(filter.passes(at(0, logical_message(true, 1, "walcat.snapshots", "{}"))));
  EXPECT_TRUE(filter.passes(at(0, logical_message(true, 1, "", ""))));
}

// A server sends whole transactions anew behind a reconnect, and a replay may begin at a position.
TEST(ChangeFilter, HoldsBackWhatWentByBefore) {
  ChangeFilter filter(nullptr, 0);
  filter.begin(Lsn{150});
  const auto passes_in = [&](std::uint64_t commit_lsn) -> bool {
    EXPECT_FALSE(filter.passes(at(0, begin(commit_lsn))));
    std::vector<bool> passing = passing_of_each_kind(filter);
    EXPECT_FALSE(filter.passes(at(0, commit(commit_lsn, commit_lsn + 10))));
    EXPECT_EQ(std::count(passing.begin(), passing.end(), passing.front()), 5);
    return passing.front();
  };
  EXPECT_FALSE(passes_in(140));
  EXPECT_FALSE(filter.passes(at(0, logical_message(false, 150, "p", "c"))));
  EXPECT_TRUE(passes_in(150));
  EXPECT_FALSE(passes_in(150)) << "it has come again";
  EXPECT_TRUE(filter.passes(at(0, logical_message(false, 170, "p", "c"))));
  EXPECT_FALSE(filter.passes(at(0, logical_message(false, 170, "p", "c"))));
  EXPECT_TRUE(passes_in(170));
  filter.begin(Lsn{});
  EXPECT_TRUE(passes_in(140));
}

TEST(ChangeFilter, TellsOfRowsOfASnapshot) {
  SnapshotSource secrets;
  secrets.relation.schema = "public";
  secrets.relation.name = "secrets";
  EXPECT_TRUE(ChangeFilter(nullptr, 0).passes_rows(secrets));
  EXPECT_TRUE(ChangeFilter(without("public\\.orders"), bit(Operation::kInsert)).passes_rows(secrets));
  EXPECT_FALSE(ChangeFilter(without("public\\.secrets"), 0).passes_rows(secrets));
  EXPECT_FALSE(ChangeFilter(nullptr, bit(Operation::kRead)).passes_rows(secrets));
}

TEST(ChangeFilter, TakesFramesThatAreCutShort) {
  ChangeFilter filter(without("x"), 0);
  const std::vector<std::string> frames{table(kOrders, "orders"), insert_into(kOrders), at(0, truncate({kOrders})),
                                        at(0, logical_message(true, 1, "walcat.heartbeat", ""))};
  for (const std::string& frame : frames) {
    for (std::size_t size = 0; size <= frame.size(); ++size) filter.passes(frame.substr(0, size));
  }
}

}  // namespace
}  // namespace walcat::test
