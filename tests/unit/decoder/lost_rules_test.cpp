// When the rules are asked of a relation: before its first change, and of what parts.

#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

constexpr std::uint32_t kRoot = 16400;
constexpr std::uint32_t kOpen = 16410;
constexpr std::uint32_t kLeaf = 16401;

TableSpec table(std::uint32_t oid, const std::string& name) {
  return {oid, "public", name, 'd', {{"id", kInt4, true}, {"email"}}};
}

// Masks public.root.email; stops where that is lost.
Feed masking() {
  DecoderOptions options;
  options.rules = std::make_shared<RuleMemory>(
      *Selection::compile(SelectionOptions{.mask_columns = {{"public\\.root\\.email", "***"}}}), OnLostRule::kStop,
      false, log::Logger());
  return Feed({}, 4096, options);
}

const std::vector<std::string>& row_of_the_root() {
  static const std::vector<std::string> frames{
      at(0, relation(table(kRoot, "root"))), at(0, relation(table(kLeaf, "leaf"))), at(910, insert(kRoot, {"1", "a"}))};
  return frames;
}

TEST(LostRules, AreNotSoughtInADescriptionThatNoChangeFollows) {
  Feed feed = masking();
  feed.decode({at(0, begin(1000))});
  const auto batch = feed.decode(row_of_the_root());
  feed.decode(row_of_the_root());
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(batch->changes.size(), 1U);
  EXPECT_EQ(batch->relations.size(), 1U);
}

TEST(LostRules, AreFoundBeforeTheFirstChange) {
  Feed feed = masking();
  feed.decode({at(0, begin(1000))});
  feed.decode(row_of_the_root());
  const auto batch = feed.decode({at(0, relation(table(kLeaf, "leaf"))), at(920, insert(kLeaf, {"2", "b"}))});
  EXPECT_EQ(feed.status().code(), StatusCode::kRefused);
  EXPECT_TRUE(batch->changes.empty());
}

TEST(LostRules, AreFoundWhereTheStreamAloneTellsWhoseRowsCome) {
  Feed feed = masking();
  feed.decode({at(0, begin(1000))});
  feed.decode(row_of_the_root());
  feed.decode({at(0, relation(table(kOpen, "open"))), at(920, insert(kOpen, {"2", "b"}))});
  EXPECT_TRUE(feed.status().is_ok()) << "it has another part";
  feed.decode({at(0, relation(table(kOpen, "open"))), at(0, relation(table(kLeaf, "leaf"))),
               at(930, insert(kOpen, {"3", "c"}))});
  EXPECT_EQ(feed.status().code(), StatusCode::kRefused);
}

TEST(LostRules, AreNotSoughtAmongTablesThatAreTruncatedTogether) {
  Feed feed = masking();
  feed.decode({at(0, begin(1000)), at(0, relation(table(kRoot, "root"))), at(0, relation(table(kOpen, "open"))),
               at(910, truncate({kRoot, kOpen})), at(920, insert(kRoot, {"1", "a"})),
               at(930, insert(kOpen, {"2", "b"})), at(940, commit(1000, 1100))});
  // A description and the change before it have nothing to do with each other.
  const auto batch =
      feed.decode({at(0, begin(1200)), at(0, relation(table(kRoot, "root"))), at(1110, insert(kRoot, {"3", "a"})),
                   at(0, relation(table(kOpen, "open"))), at(1120, insert(kOpen, {"4", "b"}))});
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(batch->changes.size(), 2U);
}

TEST(LostRules, AreFoundInRowsOfASnapshot) {
  Feed feed = masking();
  feed.decode({at(0, begin(1000))});
  feed.decode(row_of_the_root());
  const auto source = source_of(table(kOpen, "open"));
  source->parts = {kLeaf};
  const auto batch = feed.decode_rows(source, {"2\tb\n"});
  EXPECT_EQ(feed.status().code(), StatusCode::kRefused);
  EXPECT_TRUE(batch->changes.empty());
}

}  // namespace
}  // namespace walcat::test
