#include "pipeline/gathering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace walcat::test {
namespace {

constexpr std::size_t kLanes = 8;

// Lanes that have batches ready, and who was gathered.
class Street {
 public:
  Street() : plan_{.batch_bytes = 1024, .shared = 30}, shared_(plan_) {
    for (std::uint32_t i = 0; i < kLanes; ++i) {
      lanes_.push_back(std::make_unique<Lane>(i, DatabaseOptions{}, DecoderOptions{}, plan_));
    }
  }

  // One more batch with `bytes` of lines; false if the lane has no more free ones.
  bool make_ready(std::size_t lane, std::size_t bytes, std::size_t changes = 0) {
    auto batch = lanes_[lane]->take_free(shared_);
    if (batch == nullptr) return false;
    lanes_[lane]->ship(std::move(batch));
    batch = lanes_[lane]->take_frames();
    batch->lines.append(std::string(bytes, 'x'));
    batch->changes.resize(changes);
    lanes_[lane]->deliver(std::move(batch));
    return true;
  }

  // The lanes of one gathering, in its order. Whole batches go home; of the others the rest is made.
  std::vector<std::size_t> gather() {
    std::vector<Parcel> parcels;
    gathering_.next(parcels);
    std::vector<std::size_t> seen;
    for (auto& [batch, is_whole] : parcels) {
      Lane& lane = *lanes_[batch->lane];
      seen.push_back(batch->lane);
      if (is_whole) {
        lane.give_back(std::move(batch), shared_);
      } else {
        batch->changes.clear();
        lane.deliver(std::move(batch));
      }
    }
    return seen;
  }

 private:
  BatchPlan plan_;
  SharedBatches shared_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  Gathering gathering_{lanes_};
};

TEST(Gathering, TakesOneBatchOfEachLaneInTurn) {
  Street street;
  for (const std::size_t lane : {5, 5, 5, 2, 2}) street.make_ready(lane, 10);
  EXPECT_EQ(street.gather(), (std::vector<std::size_t>{2, 5, 2, 5, 5}));
  EXPECT_TRUE(street.gather().empty());
}

TEST(Gathering, NeighboursOfAFloodWaitForOneOfItsBatches) {
  constexpr std::size_t kFlood = 3;
  Street street;
  for (std::size_t round = 0; round < 3 * kLanes; ++round) {
    const std::size_t lane = round % kLanes;
    if (lane == kFlood) continue;
    street.make_ready(lane, 10);
    while (street.make_ready(kFlood, 200'000)) {
    }
    std::vector<std::size_t> seen = street.gather();
    for (const std::size_t next : street.gather()) seen.push_back(next);
    const auto at = std::find(seen.begin(), seen.end(), lane);
    ASSERT_NE(at, seen.end());
    EXPECT_LE(at - seen.begin(), 1) << "behind more than one batch of the flood";
  }
}

TEST(Gathering, StopsWhereThereIsEnoughAndGoesOnFromThere) {
  Street street;
  for (std::size_t lane = 0; lane < kLanes; ++lane) street.make_ready(lane, 200'000);
  for (std::size_t lane = 0; lane < kLanes; ++lane) EXPECT_EQ(street.gather(), std::vector<std::size_t>{lane});
}

TEST(Gathering, ALaneWhoseBatchComesAgainWaitsForIt) {
  Street street;
  street.make_ready(1, 10, 1);
  street.make_ready(1, 10);
  street.make_ready(6, 10);
  EXPECT_EQ(street.gather(), (std::vector<std::size_t>{1, 6})) << "the next one must wait for the rest";
}

}  // namespace
}  // namespace walcat::test
