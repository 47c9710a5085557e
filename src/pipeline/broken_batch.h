#pragma once

#include <algorithm>
#include <cstddef>

#include "walcat/model/batch.h"

namespace walcat {

/// Of a batch whose frames are not all printed, nothing is stored but the positions behind its changes: chunks are read
/// again, and what is under way stands as it was.
inline void withhold(Batch& batch) {
  batch.chunks_done.clear();
  batch.ends_snapshot = false;
  batch.incremental.reset();
  batch.tables.reset();
}

/// Leaves the first `count` changes of a batch that has been made but in part: those of which all is there, and the
/// positions behind them. Nothing of its lane may be printed after them; see Lane::break_off_behind().
inline void break_off(Batch& batch, std::size_t count) {
  batch.changes.resize(count);
  std::erase_if(batch.progress_points, [&](const ProgressPoint& point) { return point.changes_end > count; });
  withhold(batch);
}

/// Of a batch behind such a one nothing is left.
inline void leave_out(Batch& batch) {
  break_off(batch, 0);
  batch.progress_points.clear();
  batch.line_ends.clear();
  batch.lines.clear(batch.line_bytes());
}

}  // namespace walcat
