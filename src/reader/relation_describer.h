#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/model/table_name.h"
#include "walcat/model/visible_transactions.h"
#include "walcat/postgres/connection.h"
#include "walcat/postgres/membership.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/options.h"
#include "walcat/reader/table_look.h"
#include "walcat/selection/selection.h"

namespace walcat {

/// Asks the catalog about relations that the stream describes, over a connection of its own: whether they stand for a
/// listed table, and, if the options want that, what the stream leaves out.
///
/// Threads: stage-bound (reader).
class RelationDescriber {
 public:
  /// `selection` and `stop` are borrowed.
  RelationDescriber(const DatabaseOptions& options, const Selection& selection, const StopRequest& stop,
                    const log::Logger& logger)
      : options_(options), selection_(selection), stop_(stop), logger_(logger) {}

  /// A stream begins; `view` is what the publication publishes now.
  void begin_session(const TableView& view);

  /// Takes note of a Relation message, of the transaction `xid` that commits at `commit_lsn`, before it goes down the
  /// street: the selection learns of what is listed, and what the catalog says of the relation is added to `batch`, for
  /// the decoder to find beside the frame.
  ///
  /// False: the catalog does not show yet what the transaction did, so nothing is noted, and it is to be asked again. A
  /// walsender sends a commit once it is in the log; others see it a moment later, or when a synchronous standby has
  /// it. Errors: the catalog can't be asked. Nothing is noted then.
  Result<bool> meet(std::string_view frame, Lsn commit_lsn, std::uint32_t xid, Batch& batch);

  /// Where commits wait for walcat itself, which is a synchronous standby then, the catalog would never show them: from
  /// here on in the session it is asked as it is. Returns whether that is so.
  Result<bool> stop_waiting_for_ourselves();

  /// Whether the session can't go on describing tables as they are in `members`, a look at the catalog that the stream
  /// has come to.
  ///
  /// The server describes a table again when the table itself is altered, and not when one above it is: of a
  /// partitioned table that was renamed it goes on with the old name, and its partitions stay what they were when they
  /// came first.
  bool is_outdated(const std::vector<MemberTable>& members) const;

  /// Ends the connection; the next question opens another.
  void disconnect() { catalog_.reset(); }

 private:
  struct Described {
    TableName name;
    bool is_wanted = false;
  };

  Status connect();
  Result<bool> catalog_shows(std::uint32_t xid);
  /// Whether what the table stands for is known without the catalog.
  bool is_placed(std::uint32_t oid, const TableName& name, Lsn commit_lsn) const;
  Status follow(std::uint32_t oid, const TableName& name, Lsn commit_lsn, std::uint32_t xid);
  Status follow_dropped(std::uint32_t oid, const TableName& name, std::uint32_t xid);
  void compare(std::uint32_t oid, const TableName& name);
  Status describe(std::uint32_t oid, const std::vector<std::uint32_t>& types, Batch& batch);

  const DatabaseOptions options_;
  const Selection& selection_;
  const StopRequest& stop_;
  const log::Logger logger_;
  std::unique_ptr<Connection> catalog_;
  /// What the catalog shows, as of the last time that this was asked.
  VisibleTransactions shown_;
  /// Whether commits wait for walcat itself.
  bool is_waited_for_ = false;
  /// Tables that stood for no listed one when the session began, which holds for what the log had until then.
  std::unordered_set<std::uint32_t> unlisted_;
  Lsn unlisted_until_;
  /// Tables that came under a listed name in this run.
  std::unordered_set<std::uint32_t> listed_;
  /// What the session's stream has described, as it was last; and the tables above others when the session began.
  std::unordered_map<std::uint32_t, Described> described_;
  std::unordered_map<std::uint32_t, TableName> ancestors_;
  /// What the stream has described so far in this run, both ways.
  std::unordered_map<std::uint32_t, TableName> names_;
  std::map<TableName, std::uint32_t> oids_;
};

}  // namespace walcat
