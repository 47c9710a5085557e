#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "lane.h"
#include "walcat/model/batch.h"

namespace walcat {

/// A collected batch, and whether all of its lines are there.
struct Parcel {
  std::unique_ptr<Batch> batch;
  bool is_whole;
};

/// Chooses what is written next from what is ready of all lanes.
///
/// Lanes take turns, one batch each, and whoever was reached last is followed by its neighbour the next time. So where
/// the output is what everybody waits for, a change waits for one batch of each other lane that has something, and for
/// what was chosen before it: not for all that a flooded lane has ready.
/// Threads: stage-bound (writer).
class Gathering {
 public:
  /// `lanes` must outlive this, and may still be filled until the first next().
  explicit Gathering(const std::vector<std::unique_ptr<Lane>>& lanes) : lanes_(lanes) {}

  /// Appends to `parcels`, which is empty, what one write should carry; each lane's batches in their order. Nothing if
  /// nothing is ready. A batch that must come again for its rest holds its lane's turn; the others are passed.
  void next(std::vector<Parcel>& parcels);

 private:
  const std::vector<std::unique_ptr<Lane>>& lanes_;
  std::size_t turn_ = 0;
};

}  // namespace walcat
