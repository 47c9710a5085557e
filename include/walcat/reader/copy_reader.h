#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "walcat/base/status.h"
#include "walcat/model/batch.h"
#include "walcat/model/byte_buffer.h"
#include "walcat/postgres/connection.h"
#include "walcat/queue/stop_request.h"
#include "walcat/reader/row_gate.h"

namespace walcat {

/// Moves the rows of one COPY ... TO STDOUT into batches.
///
/// Threads: stage-bound (snapshot worker).
class CopyReader {
 public:
  /// Borrows all. `stop` wakes the reader and makes it give up; `gate` is the connection's.
  CopyReader(Connection& connection, RowGate& gate, const StopRequest& stop)
      : connection_(connection), gate_(gate), stop_(stop) {}

  /// Sends the command; its first `rows_to_pass` rows will be passed over.
  Status start(const std::string& sql, std::uint64_t rows_to_pass = 0);

  /// Where the command stands.
  enum class Progress {
    kMore,   ///< The batch is full; there is at least one more row.
    kEnded,  ///< The batch holds the last rows, if it holds any.
  };
  /// Appends rows to `batch`. A row larger than a batch goes into an empty one alone; it waits for its memory there,
  /// and is parked in the batch (LargeRows::Hold::park()).
  ///
  /// Errors: those of the command; kStopped.
  Result<Progress> fill(Batch& batch);

  /// Reads what is left, for nobody.
  Status skip_rest();

  /// Where the last row that fill() appended begins; nothing if it appended none.
  std::optional<std::size_t> last_row() const { return last_row_; }

 private:
  Result<Progress> fill_in_turn(Batch& batch);
  Result<bool> wait_for_rows(bool may_leave);
  Status wait_at_gate();
  void found_rows();
  Result<Connection::RowPart> read_pending();
  Status take_pending(Batch& batch);
  void forget_pending();

  Connection& connection_;
  RowGate& gate_;
  const StopRequest& stop_;
  /// Looks at the socket since a row came.
  int looks_ = 0;
  /// Whether the last one was to find something.
  bool was_readable_ = false;
  std::uint64_t rows_to_pass_ = 0;
  /// The row, or as much of it as has arrived, that did not fit into the last batch.
  ByteBuffer pending_{0};
  bool pending_is_whole_ = false;
  std::optional<std::size_t> last_row_;
};

}  // namespace walcat
