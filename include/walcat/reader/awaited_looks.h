#pragma once

#include <optional>
#include <utility>

#include "walcat/base/lsn.h"
#include "walcat/reader/table_look.h"

namespace walcat {

/// Looks at the publication that the stream has not come to yet: the catalog shows what the stream is still to tell.
///
/// Threads: stage-bound (reader).
class AwaitedLooks {
 public:
  /// The first is kept until it is taken, or else a catalog that changes all the time would never be compared; of later
  /// ones the newest.
  void show(TableView view) { (first_ ? newest_ : first_) = std::move(view); }

  /// The look that was shown first, if all that the server's log had when it was made is `written`.
  std::optional<TableView> take(Lsn written) {
    if (!first_ || first_->position > written) return std::nullopt;
    return std::exchange(first_, std::exchange(newest_, std::nullopt));
  }

  bool is_awaited() const { return first_.has_value(); }

  void clear() {
    first_.reset();
    newest_.reset();
  }

 private:
  std::optional<TableView> first_;
  std::optional<TableView> newest_;
};

}  // namespace walcat
