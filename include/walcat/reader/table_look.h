#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/followed_table.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/membership.h"
#include "walcat/reader/options.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// A publication as the catalog has it at a moment.
struct TableView {
  std::vector<MemberTable> members;
  /// Where the server's log ended before.
  Lsn position;
  /// As libpq has it.
  int server_version = 0;
};

/// What follows from a look at a publication.
struct TableNews {
  /// What the offset speaks for from here on.
  std::vector<FollowedTable> known;
  /// Tables whose rows are to be read between the changes.
  std::optional<IncrementalSnapshot> snapshot;
  /// Whether another session has to begin before changes of a table come.
  bool needs_session = false;
};

/// Judges what has become of the tables that a database's publication publishes, by the catalog and by what the offset
/// knew of them, and says it in the log.
///
/// A wanted table that has entered, that has taken another one's name, or that was away and came back, has its rows
/// read by an incremental snapshot. Where that is not possible (no key, `snapshot.mode`, an old server), the rows of
/// the first two are missing with a warning, as they would be of any table that is followed without a snapshot; of the
/// third changes are lost that should have come, which is a gap. Threads: stage-bound (reader).
class TableLook {
 public:
  /// Borrows all but the logger.
  TableLook(const DatabaseOptions& options, const Selection& selection, const log::Logger& logger)
      : options_(options), selection_(selection), logger_(logger) {}

  /// What `view` shows, if nothing was known before.
  std::vector<FollowedTable> learn(const TableView& view) const;

  /// kGap, if changes of a table are lost and `on_gap` is not to go on without them; ok otherwise. Says nothing.
  Status check(const std::vector<FollowedTable>& known, const TableView& view) const;

  /// Says what has become of the tables. `began`: where the session's stream began. `reads_all`: all rows are about to
  /// be read anyway.
  TableNews note(const std::vector<FollowedTable>& known, const TableView& view, Lsn began, bool reads_all = false);

  /// The same for what `offset` knows, where the session begins; it learns it; in silence, if it knew nothing. In a
  /// run's first session
  /// (`is_first`) the snapshot that follows joins those of the offset, without the tables that these are to read
  /// anyway.
  std::optional<IncrementalSnapshot> update(Offset& offset, const TableView& view, bool reads_all, bool is_first);

  /// Forgets what was said of tables by their OIDs.
  void forget() { told_.clear(); }

 private:
  const DatabaseOptions& options_;
  const Selection& selection_;
  const log::Logger logger_;
  /// Tables of which it was said that they have another name than the listed one.
  std::set<std::uint32_t> told_;
};

}  // namespace walcat
