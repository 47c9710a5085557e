// A batch of frames, once decoded, holds no more than the bound that `pipeline.memory_limit` is divided by.

#include <gtest/gtest.h>

#include "decoder/feed.h"

namespace walcat::test {
namespace {

constexpr std::size_t kFrameBytes = 64 << 10;

std::size_t memory_of(const Batch& batch) {
  return kFrameBytes + batch.lines.capacity() + batch.changes.capacity() * sizeof(Change) +
         batch.cells.capacity() * sizeof(Cell) + batch.transactions.capacity() * sizeof(Transaction) +
         batch.progress_points.capacity() * sizeof(ProgressPoint) +
         batch.changes.size() * sizeof(std::size_t);  // line ends, once serialized
}

// What a batch full of `frame` holds after `start` described its relation.
std::size_t memory_when_full(const Strings& start, const std::string& frame) {
  Feed feed({}, kFrameBytes);
  feed.decode(start);
  const auto batch = feed.pack({});
  while (batch->has_room(frame.size())) batch->append_frame(frame);
  feed.decode(*batch);
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_FALSE(batch->changes.empty());
  return memory_of(*batch);
}

TEST(BatchMemory, HoldsNarrowRowsWithinItsBound) {
  const Strings start{at(0, begin(1000)), at(0, relation(plain_table()))};
  EXPECT_LE(memory_when_full(start, at(910, insert(kPlain, {"1", "abc"}))), Batch::memory_bound(kFrameBytes));
}

TEST(BatchMemory, HoldsTheSmallestDeletesWithinItsBound) {
  const Strings start{at(0, begin(1000)), at(0, relation({16390, "public", "k", 'd', {{"id", kInt4, true}}}))};
  EXPECT_LE(memory_when_full(start, at(910, remove(16390, 'K', {"1"}))), Batch::memory_bound(kFrameBytes));
}

TEST(BatchMemory, HoldsWideRowsOfNullsWithinItsBound) {
  TableSpec wide{16391, "public", "wide", 'd', {}};
  for (int i = 0; i < 400; ++i) wide.columns.push_back({fmt::format("c{}", i), kInt4});
  const Strings start{at(0, begin(1000)), at(0, relation(wide))};
  EXPECT_LE(memory_when_full(start, at(910, insert(16391, Tuple(400, kNullValue)))), Batch::memory_bound(kFrameBytes));
}

// What a batch holds that was filled with `row` as a snapshot's reader fills it.
std::size_t memory_when_full_of_rows(const TableSpec& table, const std::string& row) {
  Feed feed({}, kFrameBytes);
  const auto batch = feed.pack_rows(source_of(table), {});
  while (batch->has_room(row.size()) && batch->frame_count() < batch->rows_most()) batch->append_frame(row);
  feed.decode(*batch);
  EXPECT_TRUE(feed.status().is_ok()) << feed.status().message();
  EXPECT_EQ(batch->changes.size(), batch->frame_count());
  return memory_of(*batch);
}

TEST(BatchMemory, HoldsTheSmallestRowsOfASnapshotWithinItsBound) {
  EXPECT_LE(memory_when_full_of_rows({16390, "public", "none", 'd', {}}, ""), Batch::memory_bound(kFrameBytes));
  EXPECT_LE(memory_when_full_of_rows({16390, "public", "k", 'd', {{"id"}}}, ""), Batch::memory_bound(kFrameBytes));
  EXPECT_LE(memory_when_full_of_rows(plain_table(), "1\tabc"), Batch::memory_bound(kFrameBytes));
}

TEST(BatchMemory, HoldsWideEmptyRowsOfASnapshotWithinItsBound) {
  TableSpec wide{16391, "public", "wide", 'd', {}};
  for (int i = 0; i < 400; ++i) wide.columns.push_back({fmt::format("c{}", i)});
  EXPECT_LE(memory_when_full_of_rows(wide, std::string(399, '\t')), Batch::memory_bound(kFrameBytes));
}

}  // namespace
}  // namespace walcat::test
