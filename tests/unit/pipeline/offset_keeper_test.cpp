#include "pipeline/offset_keeper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "decoder/feed.h"
#include "offsets/temporary_folder.h"
#include "pipeline/hanging.h"
#include "walcat/queue/wake_fd.h"

namespace walcat::test {
namespace {

using std::chrono::milliseconds;

class FakeSink : public Sink {
 public:
  Status write(std::span<const iovec>, std::size_t&) override { return Status::ok(); }
  Status sync() override {
    ++syncs;
    news.notify();
    while (sync_hangs && !interrupted) std::this_thread::yield();
    return sync_fails ? Status(StatusCode::kOutputFailed, "disk gone") : Status::ok();
  }
  void interrupt() override {
    interrupted = true;
    news.notify();
  }
  int watch_fd() const override { return -1; }
  bool has_unsynced() const override { return unsynced; }

  WakeFd news;
  std::atomic<int> syncs = 0;
  std::atomic<bool> sync_fails = false;
  /// Until it is interrupted.
  std::atomic<bool> sync_hangs = false;
  std::atomic<bool> unsynced = false;
  std::atomic<bool> interrupted = false;
};

// Whether `condition` is met, at the latest 30 s after the last notification.
template <typename Condition>
bool comes_true(const WakeFd& news, Condition condition) {
  while (!condition()) {
    pollfd poll_news{news.fd(), POLLIN, 0};
    if (::poll(&poll_news, 1, 30'000) <= 0) return condition();
    news.drain();
  }
  return true;
}

class OffsetKeeperTest : public testing::Test {
 protected:
  OffsetKeeperTest() {
    BatchPlan plan;
    plan.batch_bytes = 1024;
    for (std::uint32_t i = 0; i < 2; ++i) {
      DatabaseOptions options;
      options.label = fmt::format("db{}", i);
      options.offset_path = folder_ / options.label;
      lanes_.push_back(std::make_unique<Lane>(i, options, DecoderOptions{}, plan));
    }
  }
  ~OffsetKeeperTest() override { end(); }

  void start(milliseconds flush_interval, milliseconds shutdown_timeout = milliseconds(60'000)) {
    keeper_ = std::make_unique<OffsetKeeper>(OffsetKeeper::Options{flush_interval, shutdown_timeout}, lanes_, sink_);
    thread_ = std::thread([this] { keeper_->run(); });
    clock_ = std::thread([this] { keeper_->enforce_deadlines(); });
  }
  // Every lane is through; the keeper stores the last offsets and ends.
  void end() {
    if (!thread_.joinable()) return;
    for (const auto& lane : lanes_) lane->drained.store(true, std::memory_order_release);
    keeper_->wake();
    thread_.join();
    clock_.join();
  }

  Lane& lane(std::size_t i) { return *lanes_[i]; }
  void publish(std::size_t i, const ResumePoint& done = {Lsn{500}, Lsn{}, 0}) {
    lane(i).publish_identity({"7301", 1, lane(i).options.label, "s", "p", done});
  }
  // The output took all changes of `frames`.
  void write(std::size_t i, const Strings& frames) {
    const auto batch = feed_.decode(frames);
    ASSERT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    batch->changes_written = static_cast<std::uint32_t>(batch->changes.size());
    lane(i).note_written(*batch);
  }
  std::optional<Offset> stored(std::size_t i) { return lane(i).offset_file.load().value(); }

  // The first session of a snapshot of one table in three chunks.
  void publish_with_snapshot(std::size_t i) {
    Offset offset{"7301", 1, lane(i).options.label, "s", "p", {Lsn{500}, Lsn{}, 0}};
    offset.snapshot.emplace();
    offset.snapshot->point = Lsn{500};
    offset.snapshot->sessions = 1;
    offset.snapshot->tables.emplace_back();
    offset.snapshot->tables[0].oid = offset.snapshot->tables[0].filenode = kPlain;
    offset.snapshot->tables[0].chunk_pages = 16;
    offset.snapshot->tables[0].done.resize(3);
    lane(i).publish_identity(offset);
  }
  // The output took all rows of the chunk; the stream has not begun.
  void write_chunk(std::size_t i, std::uint32_t number, bool ends_snapshot = false) {
    const auto batch = feed_.pack_rows(source_of(plain_table(), 500), {"1\ta", "2\tb"});
    batch->chunks_done = {{kPlain, kPlain, number}};
    batch->ends_snapshot = ends_snapshot;
    feed_.decode(*batch);
    ASSERT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    batch->changes_written = static_cast<std::uint32_t>(batch->changes.size());
    lane(i).note_written(*batch);
  }
  bool is_stored(std::size_t i, std::uint32_t number) {
    const auto offset = stored(i);
    return offset && offset->snapshot && offset->snapshot->tables.at(0).done.at(number);
  }

  TemporaryFolder folder_;
  FakeSink sink_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Feed feed_;
  std::unique_ptr<OffsetKeeper> keeper_;
  std::thread thread_;
  std::thread clock_;
};

TEST_F(OffsetKeeperTest, StoresWhatMovedEachInterval) {
  publish(0);
  publish(1);
  start(milliseconds(5));
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).stored.load() == 900; }));
  EXPECT_EQ(stored(0)->done.position, Lsn{900});
  EXPECT_EQ(stored(0)->system_identifier, "7301");
  EXPECT_FALSE(stored(1).has_value()) << "nothing moved there";
  EXPECT_FALSE(lane(0).settled);
}

TEST_F(OffsetKeeperTest, StoresTheLastOffsetOfADrainedLaneAtOnce) {
  publish(0);
  start(milliseconds(60'000));
  write(0, {at(0, begin(1000)), at(0, relation(plain_table())), at(910, insert(kPlain, {"1", "a"})),
            at(1010, commit(1000, 1010)), at(0, begin(2000)), at(1910, insert(kPlain, {"2", "b"})),
            at(1920, insert(kPlain, {"3", "c"}))});
  lane(0).drained.store(true);
  keeper_->wake();
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).settled.load(); }));
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{1010}, Lsn{2000}, 2}));
  EXPECT_EQ(lane(0).stored.load(), 1010U);
  EXPECT_GE(sink_.syncs.load(), 1) << "the output is made durable first";
  EXPECT_FALSE(lane(1).settled);
}

TEST_F(OffsetKeeperTest, SettlesALaneThatNeverConnected) {
  start(milliseconds(60'000));
  end();
  EXPECT_TRUE(lane(0).settled);
  EXPECT_FALSE(stored(0).has_value());
  EXPECT_TRUE(keeper_->failure().is_ok());
}

TEST_F(OffsetKeeperTest, KeepsAStoredOpenTransactionOfARunThatWroteNothing) {
  publish(0, {Lsn{500}, Lsn{1000}, 2});
  start(milliseconds(60'000));
  end();
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{500}, Lsn{1000}, 2}));
}

TEST_F(OffsetKeeperTest, KeepsAStoredOpenTransactionThroughKeepalivesBeforeIt) {
  publish(0, {Lsn{500}, Lsn{1000}, 2});
  start(milliseconds(5));
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).stored.load() == 900; }));
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{900}, Lsn{1000}, 2})) << "while it runs";
  end();
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{900}, Lsn{1000}, 2})) << "at its end";
}

TEST_F(OffsetKeeperTest, StoresAndConfirmsNothingThatIsNotDurable) {
  publish(0);
  sink_.sync_fails = true;
  start(milliseconds(5));
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 2; }));
  EXPECT_FALSE(stored(0).has_value());
  EXPECT_EQ(lane(0).stored.load(), 500U);
}

TEST_F(OffsetKeeperTest, ConfirmsNothingThatCouldNotBeStoredAndTriesAgain) {
  publish(0);
  const std::string obstacle = lane(0).offset_file.path() + ".tmp";
  std::filesystem::create_directory(obstacle);
  start(milliseconds(5));
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 2; }));
  EXPECT_EQ(lane(0).stored.load(), 500U);
  std::filesystem::remove(obstacle);
  EXPECT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).stored.load() == 900; }));
}

TEST_F(OffsetKeeperTest, ReportsALastOffsetThatCouldNotBeStored) {
  publish(0);
  std::filesystem::create_directory(lane(0).offset_file.path() + ".tmp");
  start(milliseconds(60'000));
  write(0, {keepalive(900)});
  end();
  EXPECT_TRUE(lane(0).settled) << "the run ends all the same";
  EXPECT_EQ(keeper_->failure().code(), StatusCode::kUnavailable);
  EXPECT_EQ(lane(0).stored.load(), 500U);
  EXPECT_THAT(what_hangs(lanes_, "keeper").front().text, testing::Not(testing::HasSubstr("is stored")));
}

// No position has moved since the one that is stored.
TEST_F(OffsetKeeperTest, SaysThatLinesOfAnOpenTransactionComeAgainWhereTheLastOffsetCouldNotBeStored) {
  publish(0);
  std::filesystem::create_directory(lane(0).offset_file.path() + ".tmp");
  start(milliseconds(60'000));
  write(0, {at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"2", "b"}))});
  end();
  EXPECT_THAT(what_hangs(lanes_, "keeper").front().text,
              testing::HasSubstr("stored up to 0/1F4; the next run repeats lines"));
}

TEST_F(OffsetKeeperTest, SaysThatLinesOfAnOpenTransactionAreStored) {
  publish(0);
  start(milliseconds(60'000));
  write(0, {at(0, begin(2000)), at(0, relation(plain_table())), at(1910, insert(kPlain, {"2", "b"}))});
  end();
  EXPECT_THAT(what_hangs(lanes_, "keeper").front().text, testing::HasSubstr("what was printed is stored"));
}

TEST_F(OffsetKeeperTest, ReportsALastOffsetThatWasNotStoredBecauseTheOutputIsNotDurable) {
  publish(0);
  sink_.sync_fails = true;
  start(milliseconds(60'000));
  write(0, {keepalive(900)});
  end();
  EXPECT_FALSE(keeper_->failure().is_ok());
}

TEST_F(OffsetKeeperTest, EndsAStopThatTakesTooLong) {
  publish(0);
  start(milliseconds(60'000), milliseconds(50));
  keeper_->begin_stop();
  for (const auto& one : lanes_) {
    ASSERT_TRUE(comes_true(one->stop.wake(), [&] { return one->cut.load(); }));
  }
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.interrupted.load(); }));
}

TEST_F(OffsetKeeperTest, EndsAStopThoughADiskTakesTooLong) {
  publish(0);
  sink_.sync_hangs = true;
  start(milliseconds(5), milliseconds(50));
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 0; }));
  keeper_->begin_stop();
  const bool ended = comes_true(sink_.news, [&] { return sink_.interrupted.load(); });
  sink_.sync_hangs = false;
  EXPECT_TRUE(ended);
  EXPECT_TRUE(lane(0).cut);
}

TEST_F(OffsetKeeperTest, SyncsEachIntervalWhatWasAcceptedThoughNoPositionMoves) {
  publish(0);
  sink_.unsynced = true;
  start(milliseconds(5));
  EXPECT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 2; }));
}

TEST_F(OffsetKeeperTest, CutsNothingShortBeforeItsTime) {
  publish(0);
  start(milliseconds(5), milliseconds(60'000));
  keeper_->begin_stop();
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).stored.load() == 900; }));
  EXPECT_FALSE(lane(0).cut.load());
  EXPECT_FALSE(sink_.interrupted.load());
}

// Snapshots.

TEST_F(OffsetKeeperTest, StoresAChunkAtOnceThoughThePositionStays) {
  publish_with_snapshot(0);
  start(milliseconds(60'000));
  write_chunk(0, 1);
  keeper_->wake();
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return is_stored(0, 1); }));
  EXPECT_EQ(stored(0)->snapshot->tables[0].done, (std::vector<bool>{false, true, false}));
  EXPECT_EQ(stored(0)->snapshot->sessions, 1U);
  EXPECT_FALSE(stored(0)->snapshot->complete);
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{500}, Lsn{}, 0}));
  EXPECT_EQ(lane(0).stored.load(), 500U);
  EXPECT_GE(sink_.syncs.load(), 1) << "the output is made durable first";
}

TEST_F(OffsetKeeperTest, StoresEachChunkOnTopOfTheOnesBefore) {
  publish_with_snapshot(0);
  start(milliseconds(60'000));
  for (const std::uint32_t number : {2U, 0U}) {
    write_chunk(0, number);
    keeper_->wake();
    ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return is_stored(0, number); }));
  }
  EXPECT_EQ(stored(0)->snapshot->tables[0].done, (std::vector<bool>{true, false, true}));
}

TEST_F(OffsetKeeperTest, StoresThatTheSnapshotIsComplete) {
  publish_with_snapshot(0);
  start(milliseconds(60'000));
  write_chunk(0, 1, true);
  keeper_->wake();
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] {
    const auto offset = stored(0);
    return offset && offset->snapshot && offset->snapshot->complete;
  }));
  EXPECT_TRUE(stored(0)->snapshot->tables.empty());
}

TEST_F(OffsetKeeperTest, StoresNoChunkThatIsNotDurableAndTriesAgain) {
  publish_with_snapshot(0);
  sink_.sync_fails = true;
  start(milliseconds(5));
  write_chunk(0, 1);
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 3; })) << "it was tried once and forgotten";
  EXPECT_FALSE(stored(0).has_value());
  sink_.sync_fails = false;
  EXPECT_TRUE(comes_true(lane(0).stop.wake(), [&] { return is_stored(0, 1); }));
}

TEST_F(OffsetKeeperTest, TriesAgainToStoreAChunk) {
  publish_with_snapshot(0);
  const std::string obstacle = lane(0).offset_file.path() + ".tmp";
  std::filesystem::create_directory(obstacle);
  start(milliseconds(5));
  write_chunk(0, 1);
  ASSERT_TRUE(comes_true(sink_.news, [&] { return sink_.syncs.load() > 3; })) << "it was tried once and forgotten";
  EXPECT_FALSE(stored(0).has_value());
  std::filesystem::remove(obstacle);
  EXPECT_TRUE(comes_true(lane(0).stop.wake(), [&] { return is_stored(0, 1); }));
}

TEST_F(OffsetKeeperTest, StoresNothingTwiceThatIsNoNews) {
  publish_with_snapshot(0);
  publish(1);
  start(milliseconds(5));
  write_chunk(0, 1);
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return is_stored(0, 1); }));
  std::filesystem::remove(lane(0).offset_file.path());
  lane(0).flush_due = true;
  // Two rounds that have something to store for the other lane, and so came past this one.
  for (const std::uint64_t position : {900U, 1000U}) {
    write(1, {keepalive(position)});
    ASSERT_TRUE(comes_true(lane(1).stop.wake(), [&] { return lane(1).stored.load() == position; }));
  }
  EXPECT_FALSE(stored(0).has_value());
}

TEST_F(OffsetKeeperTest, StoresChunksWithTheLastOffsetOfADrainedLane) {
  publish_with_snapshot(0);
  start(milliseconds(60'000));
  write_chunk(0, 2);
  end();
  EXPECT_TRUE(lane(0).settled);
  EXPECT_TRUE(is_stored(0, 2));
  EXPECT_EQ(stored(0)->done, (ResumePoint{Lsn{500}, Lsn{}, 0}));
}

TEST_F(OffsetKeeperTest, KeepsACompleteSnapshotBesideTheStreamsPosition) {
  publish_with_snapshot(0);
  start(milliseconds(5));
  write_chunk(0, 0, true);
  write(0, {keepalive(900)});
  ASSERT_TRUE(comes_true(lane(0).stop.wake(), [&] { return lane(0).stored.load() == 900; }));
  EXPECT_EQ(stored(0)->done.position, Lsn{900});
  EXPECT_TRUE(stored(0)->snapshot->complete);
  EXPECT_EQ(stored(0)->snapshot->point, Lsn{500});
}

}  // namespace
}  // namespace walcat::test
