#include "walcat/model/batch.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

namespace walcat::test {
namespace {

std::vector<std::string> frames(const Batch& batch) {
  std::vector<std::string> all;
  batch.for_each_frame([&](std::string_view frame) {
    all.emplace_back(frame);
    return true;
  });
  return all;
}

TEST(Batch, GivesBackItsFramesInOrder) {
  Batch batch(1024);
  EXPECT_FALSE(batch.has_frames());
  EXPECT_TRUE(frames(batch).empty());
  const std::vector<std::string> expected{"one", "", std::string("\0\n\xFF", 3), std::string(300, 'x')};
  for (const std::string& frame : expected) batch.append_frame(frame);
  EXPECT_TRUE(batch.has_frames());
  EXPECT_EQ(frames(batch), expected);
}

TEST(Batch, StopsVisitingWhenTold) {
  Batch batch(1024);
  for (const char* frame : {"1", "2", "3"}) batch.append_frame(frame);
  int visited = 0;
  batch.for_each_frame([&](std::string_view) { return ++visited < 2; });
  EXPECT_EQ(visited, 2);
}

TEST(Batch, IsFullWhenTheNextFrameWouldPassItsSize) {
  Batch batch(100);
  EXPECT_TRUE(batch.has_room(96));
  batch.append_frame(std::string(46, 'x'));  // 50 with its size.
  EXPECT_TRUE(batch.has_room(46));
  EXPECT_FALSE(batch.has_room(47));
  batch.append_frame(std::string(46, 'x'));
  EXPECT_FALSE(batch.has_room(0));
}

TEST(Batch, TakesAFrameLargerThanItselfAloneOnly) {
  Batch batch(100);
  const std::string large(100'000, 'x');
  EXPECT_TRUE(batch.has_room(large.size()));
  batch.append_frame(large);
  EXPECT_FALSE(batch.has_room(0));
  EXPECT_EQ(frames(batch), (std::vector<std::string>{large}));
  batch.clear();
  batch.append_frame("small");
  EXPECT_FALSE(batch.has_room(large.size()));
}

TEST(Batch, ShowsTheTextOfACell) {
  Batch batch(100);
  batch.append_frame("abcdef");
  std::uint32_t begin = 0;
  batch.for_each_frame([&](std::string_view frame) {
    begin = static_cast<std::uint32_t>(frame.data() - batch.frame_base());
    return true;
  });
  EXPECT_EQ(batch.text({begin + 2, 3}), "cde");
}

TEST(Batch, ShowsFramesWhereTheyStand) {
  Batch batch(1024);
  for (const char* frame : {"one", "", "three"}) batch.append_frame(frame);
  batch.for_each_frame_in_place([](char* frame, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) frame[i] = 'x';
    return true;
  });
  EXPECT_EQ(frames(batch), (std::vector<std::string>{"xxx", "", "xxxxx"}));
  int visited = 0;
  batch.for_each_frame_in_place([&](char*, std::size_t) { return ++visited < 2; });
  EXPECT_EQ(visited, 2);
}

TEST(Batch, GivesItsLastFrameBack) {
  Batch batch(1024);
  std::vector<std::size_t> begins;
  for (const char* frame : {"one", "", "three"}) {
    begins.push_back(batch.frames_size());
    batch.append_frame(frame);
  }
  EXPECT_EQ(batch.frame_count(), 3U);
  EXPECT_EQ(batch.pop_frame(begins[2]), "three");
  EXPECT_EQ(frames(batch), (std::vector<std::string>{"one", ""}));
  EXPECT_EQ(batch.pop_frame(begins[1]), "");
  EXPECT_EQ(batch.frame_count(), 1U);
  batch.append_frame("again");
  EXPECT_EQ(frames(batch), (std::vector<std::string>{"one", "again"}));
  EXPECT_EQ(batch.pop_frame(begins[1]), "again");
  EXPECT_EQ(batch.pop_frame(begins[0]), "one");
  EXPECT_FALSE(batch.has_frames());
  EXPECT_EQ(batch.frame_count(), 0U);
}

TEST(Batch, PutsTheSizeBeforeEachFrameInNetworkOrder) {
  Batch batch(1024);
  batch.append_frame(std::string(0x0102, 'x'));
  const std::span<char> room = batch.frame_room();
  room[0] = 'y';
  batch.add_written_frame(1);
  std::string expected("\0\0\1\2", 4);
  expected += std::string(0x0102, 'x');
  expected += std::string("\0\0\0\1y", 5);
  EXPECT_EQ(batch.frames(), expected);
}

TEST(Batch, TakesTheFramesOfAnotherAtOnce) {
  Batch from(1024);
  for (const char* frame : {"one", "", "three"}) from.append_frame(frame);
  Batch to(1024);
  to.append_frame("zero");
  EXPECT_TRUE(to.append_frames(from.frames(), from.frame_count()));
  EXPECT_EQ(frames(to), (std::vector<std::string>{"zero", "one", "", "three"}));
  EXPECT_EQ(to.frame_count(), 4U);
}

TEST(Batch, RefusesFramesThatDoNotFitUnlessItIsEmpty) {
  Batch from(1024);
  from.append_frame(std::string(46, 'x'));  // 50 with its size.
  Batch batch(100);
  EXPECT_TRUE(batch.append_frames(from.frames(), 1));
  EXPECT_TRUE(batch.append_frames(from.frames(), 1));
  EXPECT_FALSE(batch.append_frames(from.frames(), 1));
  EXPECT_EQ(batch.frame_count(), 2U);
  EXPECT_EQ(batch.frames_size(), 100U);
  from.append_frame(std::string(1000, 'y'));
  batch.clear();
  EXPECT_TRUE(batch.append_frames(from.frames(), 2));
  EXPECT_EQ(batch.frame_count(), 2U);
  EXPECT_FALSE(batch.append_frames(from.frames(), 2)) << "it is larger than it may be already";
  EXPECT_EQ(batch.frames(), from.frames());
}

TEST(Batch, KeepsNothingOfASnapshotThroughClear) {
  Batch batch(1024);
  const auto source = std::make_shared<const SnapshotSource>();
  batch.append_frame("row");
  batch.snapshot = source;
  batch.snapshot_point = Lsn{1000};
  batch.first_mark = SnapshotMark::kFirst;
  batch.last_mark = SnapshotMark::kLast;
  batch.chunks_done = {{1, 2, 3}};
  batch.ends_snapshot = true;
  batch.clear();
  EXPECT_EQ(source.use_count(), 1) << "the source is let go";
  EXPECT_EQ(batch.snapshot, nullptr);
  EXPECT_FALSE(batch.snapshot_point);
  EXPECT_EQ(batch.first_mark, SnapshotMark::kInside);
  EXPECT_EQ(batch.last_mark, SnapshotMark::kInside);
  EXPECT_TRUE(batch.chunks_done.empty());
  EXPECT_FALSE(batch.ends_snapshot);
  EXPECT_EQ(batch.frame_count(), 0U);
}

TEST(Batch, IsAsNewAfterClear) {
  Batch batch(1024);
  batch.append_frame("frame");
  batch.lines.append("line\n");
  batch.line_ends.push_back(5);
  batch.changes.emplace_back();
  batch.cells.emplace_back();
  batch.transactions.emplace_back();
  batch.progress_points.emplace_back();
  const auto relation = std::make_shared<const Relation>();
  batch.relations.push_back(relation);
  batch.database = std::make_shared<const std::string>("db1");
  batch.session = 7;
  batch.received_at = 8;
  batch.changes_written = 1;
  batch.changes_noted = 1;
  batch.is_last = true;
  batch.clear();
  EXPECT_FALSE(batch.has_frames());
  EXPECT_TRUE(batch.lines.empty());
  EXPECT_TRUE(batch.line_ends.empty());
  EXPECT_TRUE(batch.changes.empty());
  EXPECT_TRUE(batch.cells.empty());
  EXPECT_TRUE(batch.transactions.empty());
  EXPECT_TRUE(batch.progress_points.empty());
  EXPECT_EQ(relation.use_count(), 1) << "the relation is let go";
  EXPECT_EQ(batch.database, nullptr);
  EXPECT_EQ(batch.session, 0U);
  EXPECT_EQ(batch.received_at, 0);
  EXPECT_EQ(batch.changes_written, 0U);
  EXPECT_EQ(batch.changes_noted, 0U);
  EXPECT_FALSE(batch.is_last);
}

TEST(Batch, StaysInItsPoolThroughClear) {
  Batch batch(1024);
  batch.is_reserved = true;
  batch.clear();
  EXPECT_TRUE(batch.is_reserved);
}

TEST(Batch, ReleasesWhatGrewPastItsBound) {
  Batch batch(1024);
  batch.append_frame(std::string(1 << 20, 'x'));
  batch.lines.append(std::string(1 << 20, 'x'));
  batch.line_ends.resize(100'000);
  batch.changes.resize(100'000);
  batch.cells.resize(100'000);
  batch.transactions.resize(100'000);
  batch.progress_points.resize(100'000);
  batch.clear();
  const std::size_t held = 1024 + batch.lines.capacity() + batch.line_ends.capacity() * sizeof(std::size_t) +
                           batch.changes.capacity() * sizeof(Change) + batch.cells.capacity() * sizeof(Cell) +
                           batch.transactions.capacity() * sizeof(Transaction) +
                           batch.progress_points.capacity() * sizeof(ProgressPoint);
  EXPECT_LE(held, Batch::memory_bound(1024));
}

TEST(Batch, KeepsWhatStaysWithinItsBound) {
  Batch batch(1 << 16);
  batch.append_frame("frame");
  batch.changes.resize(100);
  batch.cells.resize(1000);
  const auto* changes = batch.changes.data();
  const auto* cells = batch.cells.data();
  const char* base = batch.frame_base();
  batch.clear();
  batch.append_frame("frame");
  batch.changes.resize(100);
  batch.cells.resize(1000);
  EXPECT_EQ(batch.changes.data(), changes);
  EXPECT_EQ(batch.cells.data(), cells);
  EXPECT_EQ(batch.frame_base(), base);
}

}  // namespace
}  // namespace walcat::test
