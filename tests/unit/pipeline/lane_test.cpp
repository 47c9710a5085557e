#include "pipeline/lane.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "decoder/feed.h"
#include "offsets/temporary_folder.h"
#include "pipeline/broken_batch.h"
#include "walcat/queue/signal.h"

namespace walcat::test {
namespace {

BatchPlan plan_of(std::size_t shared) {
  BatchPlan plan;
  plan.batch_bytes = 1024;
  plan.shared = shared;
  return plan;
}

// A lane and the pool beside it.
struct Street {
  explicit Street(std::size_t shared_batches)
      : plan(plan_of(shared_batches)), shared(plan), lane(5, DatabaseOptions{}, DecoderOptions{}, plan) {}

  std::unique_ptr<Batch> shipped() {
    auto batch = lane.take_free(shared);
    if (batch == nullptr) return nullptr;
    lane.ship(std::move(batch));
    return lane.take_frames();
  }
  bool woken() const {
    pollfd wake{lane.stop.wake().fd(), POLLIN, 0};
    return ::poll(&wake, 1, 0) == 1;
  }

  BatchPlan plan;
  SharedBatches shared;
  Lane lane;
};

TEST(Lane, LabelsAndNumbersWhatItShips) {
  Street street(3);
  for (std::uint64_t i = 0; i < 5; ++i) {
    auto batch = street.shipped();
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->lane, 5U);
    EXPECT_EQ(batch->sequence, i);
    EXPECT_EQ(batch->is_reserved, i < 2) << "its own share is taken first";
    street.lane.deliver(std::move(batch));
  }
  EXPECT_EQ(street.lane.take_free(street.shared), nullptr);
  for (; street.lane.collect() != nullptr; street.lane.pass()) {
  }
}

TEST(Lane, LeavesTheDecoderToTheReaderWhileNothingIsWithIt) {
  Street street(2);
  EXPECT_TRUE(street.lane.decoder_is_free());
  street.lane.ship(street.lane.take_free(street.shared));
  street.lane.ship(street.lane.take_free(street.shared));
  auto first = street.lane.take_frames();
  EXPECT_FALSE(street.lane.decoder_is_free()) << "taken is not decoded";
  street.lane.note_decoded();
  EXPECT_FALSE(street.lane.decoder_is_free()) << "another one waits";
  auto second = street.lane.take_frames();
  street.lane.note_decoded();
  EXPECT_TRUE(street.lane.decoder_is_free());

  auto own = street.lane.take_free(street.shared);
  street.lane.number(*own);
  EXPECT_EQ(own->sequence, 2U);
  EXPECT_EQ(own->lane, 5U);
  EXPECT_EQ(street.lane.take_frames(), nullptr) << "the decoder's thread does not see it";
  street.lane.note_decoded();
  EXPECT_TRUE(street.lane.decoder_is_free());
  for (auto* batch : {&first, &second, &own}) street.lane.give_back(std::move(*batch), street.shared);
}

// A batch of as many changes, each with a line and a position behind it.
void fill(Batch& batch, std::size_t changes, std::uint64_t position) {
  for (std::size_t i = 1; i <= changes; ++i) {
    batch.changes.emplace_back();
    batch.lines.append("x");
    batch.line_ends.push_back(i);
    batch.progress_points.push_back({Lsn{position + i}, static_cast<std::uint32_t>(i)});
  }
}

TEST(Lane, PrintsNothingBehindABatchThatIsThereInPart) {
  Street street(2);
  std::vector<std::unique_ptr<Batch>> out;
  for (int i = 0; i < 4; ++i) {
    out.push_back(street.shipped());
    fill(*out.back(), 3, 100 * (i + 1));
  }
  // One that came later was ready before; of the second batch one change is there.
  street.lane.deliver(std::move(out[2]));
  street.lane.deliver(std::move(out[0]));
  out[1]->line_ends.resize(1);
  out[1]->ends_snapshot = true;
  break_off(*out[1], 1);
  street.lane.break_off_behind(*out[1]);
  street.lane.deliver(std::move(out[1]));
  street.lane.break_off_behind(*out[3]);
  street.lane.deliver(std::move(out[3]));

  const auto collect = [&](std::size_t changes) {
    auto batch = street.lane.collect();
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->changes.size(), changes);
    EXPECT_EQ(batch->line_ends.size(), changes);
    EXPECT_EQ(batch->progress_points.size(), changes);
    EXPECT_FALSE(batch->ends_snapshot);
    street.lane.pass();
    street.lane.give_back(std::move(batch), street.shared);
  };
  for (const std::size_t changes : {3, 1, 0, 0}) collect(changes);
}

TEST(Lane, CollectsInOrderWhateverCameFirst) {
  Street street(2);
  std::vector<std::unique_ptr<Batch>> out;
  for (int i = 0; i < 4; ++i) out.push_back(street.shipped());
  street.lane.deliver(std::move(out[3]));
  street.lane.deliver(std::move(out[1]));
  EXPECT_EQ(street.lane.collect(), nullptr);
  street.lane.deliver(std::move(out[0]));
  for (std::uint64_t i = 0; i < 2; ++i) {
    const auto batch = street.lane.collect();
    ASSERT_NE(batch, nullptr);
    EXPECT_EQ(batch->sequence, i);
    street.lane.pass();
  }
  EXPECT_EQ(street.lane.collect(), nullptr);
  street.lane.deliver(std::move(out[2]));
  EXPECT_EQ(street.lane.collect()->sequence, 2U);
  street.lane.pass();
  EXPECT_EQ(street.lane.collect()->sequence, 3U);
}

TEST(Lane, HoldsTheTurnOfABatchThatComesAgain) {
  Street street(0);
  auto first = street.shipped();
  street.lane.deliver(street.shipped());
  street.lane.deliver(std::move(first));
  auto again = street.lane.collect();
  EXPECT_EQ(again->sequence, 0U);
  EXPECT_EQ(street.lane.collect(), nullptr) << "the next one must wait";
  street.lane.deliver(std::move(again));
  EXPECT_EQ(street.lane.collect()->sequence, 0U);
  street.lane.pass();
  EXPECT_EQ(street.lane.collect()->sequence, 1U);
}

TEST(Lane, KeepsOrderAsItsNumbersComeRound) {
  const std::uint64_t seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937_64 random(seed);
  Street street(5);
  std::vector<std::unique_ptr<Batch>> out;
  std::uint64_t next = 0;
  while (next < 5000) {
    if (auto batch = street.shipped()) out.push_back(std::move(batch));
    if (!out.empty() && random() % 2 == 0) {
      const std::size_t which = random() % out.size();
      street.lane.deliver(std::move(out[which]));
      out.erase(out.begin() + static_cast<std::ptrdiff_t>(which));
    }
    while (auto batch = street.lane.collect()) {
      ASSERT_EQ(batch->sequence, next++);
      street.lane.pass();
      street.lane.give_back(std::move(batch), street.shared);
    }
  }
  // What is on the street goes home.
  for (auto& batch : out) street.lane.deliver(std::move(batch));
  while (street.lane.collect() != nullptr) street.lane.pass();
}

TEST(Lane, KeepsOrderAcrossThreads) {
  constexpr std::uint64_t kBatches = 20'000;
  Street street(4);
  SharedQueue<Batch> work(16);
  Signal work_signal;
  Signal done_signal;
  Signal free_signal;
  std::atomic<bool> over = false;
  std::thread reader([&] {
    for (std::uint64_t i = 0; i < kBatches;) {
      const auto ticket = free_signal.ticket();
      auto batch = street.shipped();
      if (batch == nullptr) {
        free_signal.wait(ticket);
        continue;
      }
      batch->session = i++;
      work.put(std::move(batch));
      work_signal.notify();
    }
  });
  const auto serve = [&] {
    for (;;) {
      const auto ticket = work_signal.ticket();
      const bool last = over.load(std::memory_order_acquire);
      if (auto batch = work.take()) {
        batch->lines.append("line");
        street.lane.deliver(std::move(batch));
        done_signal.notify();
      } else if (last) {
        return;
      } else {
        work_signal.wait(ticket);
      }
    }
  };
  std::thread one(serve);
  std::thread two(serve);
  std::uint64_t wrong = 0;
  for (std::uint64_t next = 0; next < kBatches;) {
    const auto ticket = done_signal.ticket();
    auto batch = street.lane.collect();
    if (batch == nullptr) {
      done_signal.wait(ticket);
      continue;
    }
    if (batch->session != next || batch->sequence != next || batch->lines.view() != "line") ++wrong;
    ++next;
    street.lane.pass();
    street.lane.give_back(std::move(batch), street.shared);
    free_signal.notify();
  }
  over.store(true, std::memory_order_release);
  work_signal.notify();
  for (std::thread* thread : {&reader, &one, &two}) thread->join();
  EXPECT_EQ(wrong, 0U);
}

TEST(Lane, GivesEachBatchBackToWhereItCameFrom) {
  Street street(1);
  std::vector<std::unique_ptr<Batch>> out;
  for (int i = 0; i < 3; ++i) out.push_back(street.shipped());
  for (auto& batch : out) {
    batch->append_frame("x");
    street.lane.give_back(std::move(batch), street.shared);
  }
  const auto shared = street.shared.take();
  ASSERT_NE(shared, nullptr);
  EXPECT_FALSE(shared->is_reserved);
  EXPECT_FALSE(shared->has_frames()) << "a batch comes back empty";
  EXPECT_EQ(street.shared.take(), nullptr);
}

TEST(Lane, WakesAReaderThatStarvesAndOnlyThen) {
  Street street(0);
  auto one = street.shipped();
  auto two = street.shipped();
  street.lane.wake_if_starving();
  EXPECT_FALSE(street.woken());
  EXPECT_EQ(street.lane.take_free(street.shared), nullptr);
  street.lane.give_back(std::move(one), street.shared);
  street.lane.wake_if_starving();
  EXPECT_TRUE(street.woken());
  street.lane.stop.wake().drain();
  street.lane.wake_if_starving();
  EXPECT_FALSE(street.woken()) << "once is enough";
  EXPECT_NE(street.lane.take_free(street.shared), nullptr);
  EXPECT_FALSE(street.lane.stop.requested());
}

TEST(Lane, IsWokenForABatchThatAnotherLaneGaveBack) {
  Street street(1);
  auto foreign = street.shared.take();
  auto one = street.shipped();
  auto two = street.shipped();
  EXPECT_EQ(street.lane.take_free(street.shared), nullptr);
  street.shared.put(std::move(foreign));
  street.lane.wake_if_starving();
  EXPECT_TRUE(street.woken());
  EXPECT_NE(street.lane.take_free(street.shared), nullptr);
}

TEST(Lane, KeepsItsFirstFailureAndWakes) {
  Street street(0);
  EXPECT_FALSE(street.lane.failed());
  street.lane.fail({StatusCode::kProtocolError, "first"});
  street.lane.fail({StatusCode::kRefused, "second"});
  EXPECT_TRUE(street.lane.failed());
  EXPECT_EQ(street.lane.failure().message(), "first");
  EXPECT_TRUE(street.woken());
}

// Positions.

class LaneProgress : public testing::Test {
 protected:
  LaneProgress() { lane_.publish_identity({"7301", 1, "db1", "s", "p", {Lsn{500}, Lsn{}, 0}}); }

  // A batch of frames of which the output takes the first `written` changes.
  void pass_through(const Strings& frames, std::uint32_t written) {
    const auto batch = feed_.decode(frames);
    ASSERT_TRUE(feed_.status().is_ok()) << feed_.status().message();
    ASSERT_LE(written, batch->changes.size());
    batch->changes_written = written;
    lane_.note_written(*batch);
  }
  static Strings rows(std::uint64_t commit_lsn, int count, bool closed) {
    Strings frames{at(0, begin(commit_lsn)), at(0, relation(plain_table()))};
    for (int i = 0; i < count; ++i) frames.push_back(at(commit_lsn - 50, insert(kPlain, {std::to_string(i), "v"})));
    if (closed) frames.push_back(at(commit_lsn + 10, commit(commit_lsn, commit_lsn + 10)));
    return frames;
  }

  Feed feed_;
  Lane lane_{0, DatabaseOptions{}, DecoderOptions{}, plan_of(0)};
};

class LaneOffset : public testing::Test {
 protected:
  LaneOffset() {
    options_.offset_path = folder_ / "offset.json";
    lane_ = std::make_unique<Lane>(0, options_, DecoderOptions{}, plan_of(0));
    lane_->publish_identity(offset(500));
  }

  static Offset offset(std::uint64_t position, const std::string& server = "7301") {
    return {server, 1, "db1", "s", "p", {Lsn{position}, Lsn{}, 0}};
  }
  Lsn there() const { return (*OffsetFile(options_.offset_path).load())->done.position; }

  TemporaryFolder folder_;
  DatabaseOptions options_;
  std::unique_ptr<Lane> lane_;
};

TEST_F(LaneOffset, IsStoredAndThenConfirmed) {
  ASSERT_TRUE(lane_->store(offset(600), lane_->beginning()).is_ok());
  EXPECT_EQ(there(), Lsn{600});
  EXPECT_EQ(lane_->stored.load(), 600U);
}

TEST_F(LaneOffset, NeverReplacesOneThatAnotherWalcatHasMovedOn) {
  ASSERT_TRUE(OffsetFile(options_.offset_path).store(offset(900)).is_ok());
  ASSERT_TRUE(lane_->store(offset(600), lane_->beginning()).is_ok());
  EXPECT_EQ(there(), Lsn{900});
  EXPECT_EQ(lane_->stored.load(), 600U) << "ours is safe all the same";
}

TEST_F(LaneOffset, ReplacesOneOfAnotherServer) {
  ASSERT_TRUE(OffsetFile(options_.offset_path).store(offset(900, "other")).is_ok());
  ASSERT_TRUE(lane_->store(offset(600), lane_->beginning()).is_ok());
  EXPECT_EQ(there(), Lsn{600});
}

TEST_F(LaneOffset, IsNotStoredOnceItsIdentityWasWithdrawn) {
  ASSERT_TRUE(lane_->store(offset(600), lane_->beginning()).is_ok());
  const auto before = lane_->beginning();
  lane_->withdraw_identity();
  EXPECT_FALSE(lane_->identity());
  lane_->publish_identity(offset(100));
  ASSERT_TRUE(lane_->store(offset(700), before).is_ok());
  EXPECT_EQ(there(), Lsn{600});
  EXPECT_EQ(lane_->stored.load(), 100U);
  EXPECT_EQ(lane_->written(), Lsn{100});
}

TEST_F(LaneOffset, FollowsTheServerToAnotherTimeline) {
  lane_->publish_timeline(2);
  EXPECT_EQ(lane_->identity()->timeline, 2U);
  EXPECT_EQ(lane_->written(), Lsn{500});
}

TEST_F(LaneProgress, StartsAtThePublishedPosition) {
  EXPECT_EQ(lane_.written(), Lsn{500});
  EXPECT_EQ(lane_.stored.load(), 500U);
  EXPECT_EQ(lane_.identity()->slot, "s");
}

TEST_F(LaneProgress, ReachesTheEndOfACommitWithItsLastLine) {
  pass_through(rows(1000, 2, true), 2);
  EXPECT_EQ(lane_.written(), Lsn{1010});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
  EXPECT_EQ(lane_.changes_written(), 2U);
}

TEST_F(LaneProgress, DoesNotMoveInsideATransaction) {
  pass_through(rows(1000, 3, true), 2);
  EXPECT_EQ(lane_.written(), Lsn{500});
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 2}));
}

TEST_F(LaneProgress, DoesNotMoveWhenNothingWasTaken) {
  pass_through(rows(1000, 3, true), 0);
  EXPECT_EQ(lane_.written(), Lsn{500});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
}

TEST_F(LaneProgress, ReachesWhatIsClosedAndNotesWhatIsOpen) {
  auto frames = rows(1000, 2, true);
  for (const auto& frame : rows(2000, 4, true)) frames.push_back(frame);
  pass_through(frames, 5);
  EXPECT_EQ(lane_.written(), Lsn{1010});
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{2000}, 3}));
}

TEST_F(LaneProgress, ClosesAnOpenTransactionWithTheCommitOfALaterBatch) {
  pass_through(rows(1000, 2, false), 2);
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 2}));
  pass_through({at(950, insert(kPlain, {"3", "v"}))}, 1);
  EXPECT_EQ(lane_.written(), Lsn{500});
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 3}));
  pass_through({at(1010, commit(1000, 1010))}, 0);
  EXPECT_EQ(lane_.written(), Lsn{1010});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
  EXPECT_EQ(lane_.changes_written(), 3U);
}

TEST_F(LaneProgress, FollowsKeepalivesOfAnIdleDatabase) {
  pass_through({keepalive(700)}, 0);
  EXPECT_EQ(lane_.written(), Lsn{700});
  EXPECT_EQ(lane_.changes_written(), 0U);
}

TEST_F(LaneProgress, CountsABatchThatComesTwiceOnce) {
  const auto batch = feed_.decode(rows(1000, 4, true));
  batch->changes_written = 3;
  lane_.note_written(*batch);
  EXPECT_EQ(lane_.changes_written(), 3U);
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 3}));
  batch->changes_written = 4;
  lane_.note_written(*batch);
  EXPECT_EQ(lane_.changes_written(), 4U);
  EXPECT_EQ(lane_.written(), Lsn{1010});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
}

TEST_F(LaneProgress, GoesOnCountingInATransactionAfterAReconnect) {
  pass_through(rows(1000, 3, false), 3);
  feed_.reconnect();
  pass_through(rows(1000, 5, false), 2);
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 5}));
}

// The server was lost inside a transaction and, back again, has not come to it yet: what the output took of it must
// be known to the next run, or it prints those lines again.
TEST_F(LaneProgress, RemembersAnOpenTransactionThroughKeepalivesBeforeIt) {
  pass_through(rows(1000, 3, false), 3);
  feed_.reconnect();
  pass_through({keepalive(900)}, 0);
  EXPECT_EQ(lane_.written(), Lsn{900});
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 3}));
  pass_through(rows(1000, 4, true), 1);
  EXPECT_EQ(lane_.written(), Lsn{1010});
  EXPECT_EQ(lane_.written_in_part(), ResumePoint{});
}

// The output gave up in the middle of a batch: what is confirmed must end there, whatever it took afterwards.
TEST_F(LaneProgress, StaysBeforeLinesThatTheOutputDidNotTake) {
  const auto torn = feed_.decode(rows(1000, 3, true));
  torn->changes_written = 2;
  lane_.note_written(*torn, true);
  pass_through(rows(2000, 2, true), 2);
  pass_through(rows(3000, 2, false), 1);
  pass_through({keepalive(4000)}, 0);
  EXPECT_EQ(lane_.written(), Lsn{500});
  EXPECT_EQ(lane_.written_in_part(), (ResumePoint{Lsn{}, Lsn{1000}, 2}));
  EXPECT_EQ(lane_.changes_written(), 2U);
}

TEST_F(LaneProgress, GoesOnBehindABatchThatTheOutputTookWhole) {
  const auto whole = feed_.decode(rows(1000, 3, true));
  whole->changes_written = 3;
  lane_.note_written(*whole, true);
  const auto empty = feed_.decode({keepalive(1500)});
  lane_.note_written(*empty, true);
  EXPECT_EQ(lane_.written(), Lsn{1500});
  pass_through(rows(2000, 2, true), 2);
  EXPECT_EQ(lane_.written(), Lsn{2010});
  EXPECT_EQ(lane_.changes_written(), 5U);
}

}  // namespace
}  // namespace walcat::test
