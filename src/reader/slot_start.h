#pragma once

#include <optional>
#include <string>

#include "cold_start.h"
#include "position_check.h"
#include "snapshot_start.h"
#include "walcat/base/log.h"
#include "walcat/offsets/offset_file.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/server.h"
#include "walcat/postgres/slot.h"
#include "walcat/reader/options.h"
#include "walcat/reader/table_look.h"

namespace walcat {

/// Decides where a database's stream starts: the slot is the authority, the offset file is the evidence. Makes the slot
/// and begins the snapshot where they are due, and crosses a gap as `on_gap` says.
///
/// Threads: one thread, once.
class SlotStart {
 public:
  /// All are borrowed but `server`. `tables`: what is published, which is looked at again where a slot is made.
  SlotStart(Connection& connection, const ServerIdentity& server, const DatabaseOptions& options,
            const Selection& selection, const OffsetFile& file, const TableLook& look, TableView& tables,
            const StopRequest& stop, const log::Logger& logger);

  /// `last` and `broken`: see cold_start(), whose errors these are. Of the result, what concerns the connection and the
  /// server is left empty.
  Result<StreamStart> decide(const std::optional<LastSession>& last, const Status& broken);

 private:
  Result<StreamStart> choose(const std::optional<LastSession>& last, const std::optional<SlotState>& slot,
                             const Status& known, const std::optional<Offset>& offset);
  Status check(const std::optional<Offset>& known, const std::optional<LastSession>& last,
               const std::optional<SlotState>& slot);
  Status check_whole(const SlotState& slot);
  Offset go_on(const Offset& known);
  Result<StreamStart> with_rows(StreamStart start, bool is_own);
  Result<StreamStart> cross_gap(const Status& gap, const std::optional<Offset>& known,
                                const std::optional<SlotState>& slot);
  Result<StreamStart> start_anew(const std::optional<SlotState>& slot);
  Result<StreamStart> skip_gap(const std::optional<Offset>& known, const std::optional<SlotState>& slot);
  Result<StreamStart> adopt(const SlotState& slot);
  Result<StreamStart> snapshot_beside_slot(const Offset* known);
  Result<StreamStart> create(bool with_snapshot);
  Result<Lsn> make_slot(const std::optional<Offset>& known);
  Result<StreamStart> resume(StreamStart start, bool is_own);
  Result<StreamStart> with_snapshot(StreamStart start, SnapshotStart snapshot, bool is_own);
  bool wants_snapshot() const;
  Status check_name_beside();
  Status check_snapshot();
  Offset offset_at(Lsn position) const;
  Result<StreamStart> first_start(Lsn position, std::optional<SnapshotStart> snapshot = std::nullopt);

  Connection& connection_;
  ServerIdentity server_;
  const DatabaseOptions& options_;
  const Selection& selection_;
  const OffsetFile& file_;
  const TableLook& look_;
  // Looked at again where a slot is made: that waits for transactions that are open, and tables come meanwhile.
  TableView& tables_;
  const log::Logger& logger_;
  // The gap that the stream from this slot met last; ok if none.
  Status broken_;
  SnapshotTaker taker_;
};

}  // namespace walcat
