// What can be said of a snapshot's workers without a server: how they end where there is nothing to read, and where
// nobody answers.

#include "pipeline/snapshot_crew.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/scarce_memory.h"
#include "decoder/feed.h"

namespace walcat::test {
namespace {

class SnapshotCrewTest : public testing::Test {
 protected:
  SnapshotCrewTest() {
    options_.conn_str = "host=/nonexistent/walcat connect_timeout=5";
    start_.progress.sessions = 1;
  }

  void add_task(const TableSpec& table) {
    SnapshotTask task;
    task.source = start_.sources.size();
    task.chunk = ChunkId{table.oid, table.oid, 0};
    task.copy = "COPY nothing TO STDOUT";
    start_.sources.push_back(source_of(table));
    start_.tasks.push_back(std::move(task));
  }
  std::unique_ptr<Batch> free_batch() const { return std::make_unique<Batch>(1024); }
  // Whether `condition` is met, at the latest 30 s after the last notification.
  template <typename Condition>
  bool comes_true(Condition condition) {
    while (!condition()) {
      pollfd poll_news{news_.fd(), POLLIN, 0};
      if (::poll(&poll_news, 1, 30'000) <= 0) return condition();
      news_.drain();
    }
    return true;
  }

  DatabaseOptions options_;
  SnapshotStart start_;
  WakeFd news_;
};

TEST_F(SnapshotCrewTest, EndsASnapshotWithoutTablesByABatchOfItsOwn) {
  SnapshotCrew crew(options_, start_, news_, log::Logger("db1"));
  EXPECT_FALSE(crew.is_over()) << "that it is complete must be written";
  std::unique_ptr<Batch> spare;
  EXPECT_EQ(crew.take(spare), nullptr);
  EXPECT_FALSE(crew.wants_batch()) << "nobody reads";
  ASSERT_TRUE(crew.wants_spare());
  spare = free_batch();
  const auto batch = crew.take(spare);
  ASSERT_NE(batch, nullptr);
  EXPECT_TRUE(batch->ends_snapshot);
  EXPECT_EQ(batch->snapshot, nullptr);
  EXPECT_FALSE(batch->has_frames());
  EXPECT_TRUE(batch->chunks_done.empty());
  EXPECT_TRUE(crew.is_over());
  EXPECT_FALSE(crew.wants_spare());
  EXPECT_TRUE(crew.failure().is_ok());
  EXPECT_TRUE(crew.dismiss().empty());
}

TEST_F(SnapshotCrewTest, FailsWhereNobodyAnswersAndGivesItsBatchesBack) {
  options_.snapshot.workers = 2;
  add_task(plain_table());
  add_task({16400, "public", "u", 'd', {{"x", kInt4, true}}});
  SnapshotCrew crew(options_, start_, news_, log::Logger("db1"));
  std::size_t given = 0;
  ASSERT_TRUE(comes_true([&] {
    for (; crew.wants_batch(); ++given) crew.give(free_batch());
    return !crew.failure().is_ok();
  }));
  EXPECT_EQ(crew.failure().code(), StatusCode::kUnavailable) << crew.failure().message();
  EXPECT_FALSE(crew.is_over());
  const auto batches = crew.dismiss();
  EXPECT_EQ(batches.size(), given);
  for (const auto& batch : batches) {
    ASSERT_NE(batch, nullptr);
    EXPECT_FALSE(batch->has_frames());
    EXPECT_TRUE(batch->chunks_done.empty());
    EXPECT_FALSE(batch->ends_snapshot);
  }
}

TEST_F(SnapshotCrewTest, GivesItsBatchBackWhereMemoryIsShort) {
  if (!ScarceMemory::kIsPossible) GTEST_SKIP() << "under a sanitizer";
  options_.snapshot.workers = 1;
  options_.conn_str += " application_name=" + std::string(std::size_t{64} << 20, 'x');
  add_task(plain_table());
  SnapshotCrew crew(options_, start_, news_, log::Logger("db1"));
  ASSERT_TRUE(comes_true([&] { return crew.wants_batch(); }));
  std::optional<ScarceMemory> scarce(std::int64_t{16} << 20);
  crew.give(free_batch());
  const bool failed = comes_true([&] { return !crew.failure().is_ok(); });
  scarce.reset();
  ASSERT_TRUE(failed);
  EXPECT_EQ(crew.failure().code(), StatusCode::kRefused) << crew.failure().message();
  EXPECT_EQ(crew.dismiss().size(), 1U);
}

TEST_F(SnapshotCrewTest, IsDismissedWhileItWaitsForBatches) {
  options_.snapshot.workers = 3;
  for (int i = 0; i < 5; ++i) add_task(plain_table());
  SnapshotCrew crew(options_, start_, news_, log::Logger("db1"));
  ASSERT_TRUE(comes_true([&] { return crew.wants_batch(); }));
  EXPECT_TRUE(crew.dismiss().empty());
  EXPECT_TRUE(crew.failure().is_ok());
  EXPECT_FALSE(crew.is_over());
}

}  // namespace
}  // namespace walcat::test
