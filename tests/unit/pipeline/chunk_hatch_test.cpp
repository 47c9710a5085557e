#include "pipeline/chunk_hatch.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace walcat::test {
namespace {

std::unique_ptr<Batch> batch() { return std::make_unique<Batch>(1024); }

SnapshotSignal mark(const std::string& text) {
  SnapshotSignal signal;
  signal.mark = text;
  signal.commit_lsn = Lsn{1000};
  signal.commit_time = 77;
  return signal;
}

// What the lane's reader does: sleeps until there is news, and gives what is wanted.
void give_one(ChunkHatch& hatch, const WakeFd& news) {
  pollfd wake{news.fd(), POLLIN, 0};
  while (!hatch.wants_batch()) ::poll(&wake, 1, -1);
  hatch.give(batch());
}

TEST(ChunkHatch, AsksForABatchWhereThereIsNone) {
  const WakeFd news;
  ChunkHatch hatch(news);
  EXPECT_FALSE(hatch.wants_batch()) << "nobody reads";
  std::unique_ptr<Batch> given;
  std::thread worker([&] { given = hatch.wait_for_batch(); });
  give_one(hatch, news);
  worker.join();
  EXPECT_NE(given, nullptr);
  EXPECT_FALSE(hatch.wants_batch());
}

TEST(ChunkHatch, WakesTheWorkerForGoodOnceClosed) {
  const WakeFd news;
  ChunkHatch hatch(news);
  std::thread worker([&] { EXPECT_EQ(hatch.wait_for_batch(), nullptr); });
  hatch.close();
  worker.join();
  EXPECT_EQ(hatch.wait_for_batch(), nullptr);
}

TEST(ChunkHatch, HandsAChunkOutAtItsMarkOnce) {
  const WakeFd news;
  ChunkHatch hatch(news);
  EXPECT_EQ(hatch.take(mark("")), nullptr);
  hatch.put(batch(), "run.1");
  EXPECT_EQ(hatch.take(mark("run.2")), nullptr);
  EXPECT_EQ(hatch.take(mark("other.1")), nullptr);
  const auto chunk = hatch.take(mark("run.1"));
  ASSERT_NE(chunk, nullptr);
  EXPECT_EQ(chunk->chunk_commit_lsn, Lsn{1000});
  EXPECT_EQ(chunk->chunk_commit_time, 77);
  EXPECT_EQ(hatch.take(mark("run.1")), nullptr) << "the stream brought the mark once more";
  EXPECT_EQ(hatch.take_back(), nullptr);
}

TEST(ChunkHatch, GivesAChunkBackThatNobodyTook) {
  const WakeFd news;
  ChunkHatch hatch(news);
  hatch.put(batch(), "run.1");
  EXPECT_NE(hatch.take_back(), nullptr);
  EXPECT_EQ(hatch.take(mark("run.1")), nullptr);
}

TEST(ChunkHatch, IsClearedOfWhatNobodyTook) {
  const WakeFd news;
  ChunkHatch hatch(news);
  EXPECT_TRUE(hatch.clear_out().empty());
  hatch.put(batch(), "run.1");
  hatch.give(batch());
  EXPECT_EQ(hatch.clear_out().size(), 2U);
  EXPECT_TRUE(hatch.clear_out().empty());
}

}  // namespace
}  // namespace walcat::test
