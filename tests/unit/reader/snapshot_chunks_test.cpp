// How tables are cut into chunks, and what is left of those of an earlier session.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <ostream>
#include <vector>

#include "reader/planned_tables.h"

namespace walcat::test {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

// Cutting.

struct Cut {
  std::size_t chunks;
  std::uint32_t pages;
  bool operator==(const Cut&) const = default;
};
void PrintTo(const Cut& cut, std::ostream* out) { *out << cut.chunks << " chunks of " << cut.pages << " pages"; }

Cut cut(std::uint64_t pages, const PlanOptions& options, std::uint64_t page_bytes = kPage) {
  Relations relations{published("t", 1, pages)};
  relations[0].tables[0].page_bytes = page_bytes;
  const auto tables = cut_tables(relations, options);
  EXPECT_EQ(tables.size(), 1U);
  return {tables.at(0).done.size(), tables.at(0).chunk_pages};
}

TEST(SnapshotChunks, CutsATableIntoRunsOfPages) {
  EXPECT_EQ(cut(160, chunks_of(16)), (Cut{10, 16}));
  EXPECT_EQ(cut(161, chunks_of(16)), (Cut{11, 16}));
  EXPECT_EQ(cut(33, chunks_of(16)), (Cut{3, 16}));
  EXPECT_EQ(cut(17, chunks_of(16)), (Cut{2, 16}));
}

TEST(SnapshotChunks, MakesASmallOrEmptyTableOneChunk) {
  for (const std::uint64_t pages : {0, 1, 15, 16}) EXPECT_EQ(cut(pages, chunks_of(16)), (Cut{1, 0})) << pages;
}

TEST(SnapshotChunks, CountsAChunkInWholePages) {
  EXPECT_EQ(cut(32, {16 * kPage - 1, true}), (Cut{3, 15}));
  EXPECT_EQ(cut(32, {16 * kPage + 1, true}), (Cut{2, 16}));
  EXPECT_EQ(cut(32, {16 * kPage, true}, 32768), (Cut{8, 4}));
  EXPECT_EQ(cut(3, {kPage - 1, true}), (Cut{3, 1})) << "a page at least";
  EXPECT_EQ(cut(3, {1, true}, 32768), (Cut{3, 1}));
}

TEST(SnapshotChunks, CutsTheLargestTable) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  EXPECT_EQ(cut(kMost, {std::uint64_t{1} << 40, true}), (Cut{32, 1U << 27}));
  EXPECT_EQ(cut(kMost, {std::numeric_limits<std::uint64_t>::max(), true}), (Cut{2, 1U << 31}));
}

TEST(SnapshotChunks, CutsManyLargeTablesIntoFewerEach) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint32_t>::max();
  Relations relations{published("t", 1, kMost), published("u", 2, kMost), published("v", 3, 10)};
  std::size_t chunks = 0;
  for (const auto& table : cut_tables(relations, chunks_of(1))) chunks += table.done.size();
  EXPECT_LE(chunks, (std::size_t{1} << 20) + relations.size());
}

TEST(SnapshotChunks, MakesEveryTableOneChunkWhereAServerCannotReadByPages) {
  EXPECT_EQ(cut(100'000, {16 * kPage, false}), (Cut{1, 0}));
  EXPECT_EQ(cut(0, {16 * kPage, false}), (Cut{1, 0}));
}

TEST(SnapshotChunks, CutsEveryPhysicalTable) {
  Relations relations{published("t", 1, 20), published("root", 2, 0), published("u", 5, 0)};
  relations[1].tables = {physical("Leaf 1", 3, 40), physical("leaf2", 4, 16)};
  relations[1].tables[0].filenode = 33;
  const auto tables = cut_tables(relations, chunks_of(16));
  ASSERT_THAT(tables, SizeIs(4));
  EXPECT_EQ(tables[1].name, R"(public."Leaf 1")");
  EXPECT_EQ(tables[1].oid, 3U);
  EXPECT_EQ(tables[1].filenode, 33U);
  EXPECT_EQ(tables[1].done, std::vector<bool>(3, false));
  EXPECT_FALSE(tables[1].is_mixed);
  EXPECT_FALSE(tables[1].is_rewritten);
  EXPECT_EQ(tables[2].oid, 4U);
  EXPECT_EQ(tables[3].oid, 5U);
  EXPECT_THAT(cut_tables({}, chunks_of(16)), IsEmpty());
}

// Bringing an earlier session's progress up to date.

SnapshotProgress updated(SnapshotProgress progress, const Relations& relations,
                         const PlanOptions& options = chunks_of(16)) {
  update_tables(progress, relations, options, log::Logger("db1"));
  return progress;
}

SnapshotProgress progress_of(const Relations& relations) { return begun(relations).progress; }

TEST(SnapshotChunks, PassesOverTablesThatAreGone) {
  auto progress = progress_of({published("t", 1, 40), published("u", 2, 40), published("w", 3, 40)});
  progress.tables[0].done[1] = progress.tables[2].done[2] = true;
  const auto now = updated(progress, {published("w", 3, 40), published("t", 1, 40)});
  ASSERT_THAT(now.tables, SizeIs(2));
  EXPECT_EQ(now.tables[0].oid, 1U);
  EXPECT_EQ(now.tables[0].done, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(now.tables[1].oid, 3U);
  EXPECT_EQ(now.tables[1].done, (std::vector<bool>{false, false, true}));
  EXPECT_THAT(updated(progress, {}).tables, IsEmpty());
}

TEST(SnapshotChunks, AddsNoTableThatIsNew) {
  const auto now = updated(progress_of({published("t", 1, 40)}), {published("t", 1, 40), published("new", 2, 40)});
  EXPECT_THAT(now.tables, SizeIs(1));
}

TEST(SnapshotChunks, CutsARewrittenTableAnew) {
  auto progress = progress_of({published("t", 1, 40), published("u", 2, 40)});
  progress.tables[0].done = {true, true, true};
  progress.tables[1].done = {true, false, false};
  Relations relations{published("t", 1, 70), published("u", 2, 40)};
  relations[0].tables[0].filenode = 99;
  const auto now = updated(progress, relations);
  ASSERT_THAT(now.tables, SizeIs(2));
  EXPECT_EQ(now.tables[0].filenode, 99U);
  EXPECT_EQ(now.tables[0].done, std::vector<bool>(5, false));
  EXPECT_EQ(now.tables[0].chunk_pages, 16U);
  EXPECT_TRUE(now.tables[0].is_rewritten);
  EXPECT_FALSE(now.tables[0].is_mixed);
  EXPECT_FALSE(now.tables[1].is_rewritten);
}

TEST(SnapshotChunks, CutsATruncatedTableAnewIntoOneChunk) {
  auto progress = progress_of({published("t", 1, 40)});
  progress.tables[0].done = {true, false, true};
  progress.tables[0].is_mixed = true;
  Relations relations{published("t", 1, 0)};
  relations[0].tables[0].filenode = 99;
  const auto now = updated(progress, relations);
  EXPECT_EQ(now.tables.at(0).done, std::vector<bool>{false});
  EXPECT_EQ(now.tables.at(0).chunk_pages, 0U);
  EXPECT_TRUE(now.tables.at(0).is_rewritten);
  EXPECT_FALSE(now.tables.at(0).is_mixed) << "nothing of it was read yet";
}

TEST(SnapshotChunks, LeavesChunksAsTheyWereCut) {
  auto progress = progress_of({published("t", 1, 40)});
  progress.tables[0].done = {true, false, false};
  // Larger by now, and other chunks are configured: pages of chunks that are done must not move.
  const auto now = updated(progress, {published("t", 1, 4000)}, chunks_of(5));
  EXPECT_EQ(now.tables.at(0).done, (std::vector<bool>{true, false, false}));
  EXPECT_EQ(now.tables.at(0).chunk_pages, 16U);
  EXPECT_EQ(updated(progress, {published("t", 1, 40)}, {kPage, false}).tables.at(0).chunk_pages, 16U);
}

TEST(SnapshotChunks, KnowsATableByItsOidWhateverItIsCalledNow) {
  auto progress = progress_of({published("t", 1, 40)});
  progress.tables[0].done[0] = true;
  const auto now = updated(progress, {published("renamed", 1, 40)});
  ASSERT_THAT(now.tables, SizeIs(1));
  EXPECT_TRUE(now.tables[0].done[0]);
}

TEST(SnapshotChunks, CallsATableMixedThatIsReadInPart) {
  const auto is_mixed = [](const std::vector<bool>& done, bool was_mixed = false) {
    auto progress = progress_of({published("t", 1, 40)});
    progress.tables[0].done = done;
    progress.tables[0].is_mixed = was_mixed;
    return updated(progress, {published("t", 1, 40)}).tables.at(0).is_mixed;
  };
  EXPECT_FALSE(is_mixed({false, false, false}));
  EXPECT_TRUE(is_mixed({true, false, false}));
  EXPECT_TRUE(is_mixed({false, false, true}));
  EXPECT_TRUE(is_mixed({true, true, false}));
  EXPECT_FALSE(is_mixed({true, true, true})) << "read at one point";
  EXPECT_TRUE(is_mixed({true, true, true}, true)) << "read at several, in sessions before";
  EXPECT_FALSE(is_mixed({false}));
  EXPECT_FALSE(is_mixed({true}));
}

}  // namespace
}  // namespace walcat::test
