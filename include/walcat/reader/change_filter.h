#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>

#include "walcat/base/lsn.h"
#include "walcat/model/change.h"
#include "walcat/model/snapshot.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Tells of a stream's frames which of them become lines, by a look at each. A transaction that went by in part and
/// comes again is counted whole.
///
/// Threads: stage-bound (reader).
class ChangeFilter {
 public:
  /// `skipped`: operations that are not printed, a bit each.
  ChangeFilter(std::shared_ptr<const Selection> selection, std::uint32_t skipped)
      : selection_(std::move(selection)), skipped_(skipped) {}

  /// The stream begins, or begins anew: what is before `position` is done.
  void begin(Lsn position) { position_ = position; }

  /// Whether rows of a snapshot are printed.
  bool passes_rows(const SnapshotSource& source) const;
  /// Whether `frame` is a change that is printed. To be asked about every frame of the stream in its order.
  bool passes(std::string_view frame);

 private:
  bool passes_message(std::string_view frame);
  void commit(std::string_view frame);
  void describe(std::string_view relation);
  bool is_wanted(std::uint32_t relation_oid);
  bool truncates_wanted(std::string_view frame);
  bool is_skipped(Operation operation) const;

  std::shared_ptr<const Selection> selection_;
  std::uint32_t skipped_;
  std::unordered_map<std::uint32_t, bool> wanted_;
  std::uint32_t last_oid_ = 0;
  bool last_wanted_ = true;
  /// What commits before went by.
  Lsn position_;
  /// Whether the transaction in hand did.
  bool is_done_ = false;
};

}  // namespace walcat
