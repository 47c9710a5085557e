#include <fmt/format.h>

#include <utility>

#include "walcat/reader/snapshot.h"

namespace walcat {

namespace {

constexpr int kAttempts = 3;
constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::microseconds kNap{100};
// libpq keeps room for the largest row it has met until its connection ends.
constexpr std::size_t kLargeRow = std::size_t{4} << 20;

}  // namespace

ChunkReader::ChunkReader(const DatabaseOptions& options, std::string exported_name, const StopRequest& stop,
                         const log::Logger& logger)
    : options_(options), exported_name_(std::move(exported_name)), stop_(stop), logger_(logger) {}

void ChunkReader::begin(const SnapshotTask& task) {
  task_ = task;
  copying_ = false;
  rows_ = rows_to_pass_ = 0;
  if (std::exchange(largest_row_was_large_, false)) connection_.reset();
}

Result<ChunkReader::Progress> ChunkReader::read(Batch& batch) {
  last_row_.reset();
  for (int attempt = 1;; ++attempt) {
    auto filled = fill(batch);
    if (filled.is_ok() || filled.status().code() != StatusCode::kUnavailable) return filled;
    connection_.reset();
    copying_ = false;
    pending_.reset();
    rows_to_pass_ = rows_;
    if (attempt == kAttempts) return filled;
    logger_.warning("snapshot: {}; connecting again", filled.status().message());
  }
}

Status ChunkReader::connect() {
  auto opened =
      Connection::open({.conn_str = options_.conn_str, .replication = false, .stop = &stop_, .logger = logger_});
  if (!opened.is_ok()) return opened.status();
  connection_ = std::move(*opened);
  const std::string import = "SET TRANSACTION SNAPSHOT " + connection_->literal(exported_name_);
  // Whoever waits for an exclusive lock on the table waits for our snapshot's holder: we must not wait for them.
  for (const std::string& sql : {std::string("SET row_security = off"), std::string("SET lock_timeout = '5s'"),
                                 std::string("SET synchronize_seqscans = off"),
                                 std::string("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ"), import}) {
    const Status done = connection_->execute(sql);
    if (done.is_ok()) continue;
    connection_.reset();
    // The snapshot has gone with its holder.
    return {StatusCode::kUnavailable, done.message()};
  }
  return Status::ok();
}

Status ChunkReader::start_copy() {
  if (connection_ == nullptr) {
    if (const Status connected = connect(); !connected.is_ok()) return connected;
  }
  if (const Status started = connection_->start_copy(task_.copy); !started.is_ok()) return started;
  copying_ = true;
  pending_.reset();
  return Status::ok();
}

Result<ChunkReader::Progress> ChunkReader::fill(Batch& batch) {
  if (!copying_) {
    if (const Status started = start_copy(); !started.is_ok()) return started;
  }
  int looks = 0;
  for (;;) {
    if (!pending_) {
      auto row = connection_->next_row();
      if (!row.is_ok()) return row.status();
      if (row->has_ended) {
        copying_ = false;
        return Progress::kEnded;
      }
      if (row->text.data() == nullptr) {
        if (stop_.requested()) return Status(StatusCode::kStopped, "stopped");
        // Three looks: at once, after a nap, and when something comes. A server that sends is not woken for by naps.
        if (looks == 1) connection_->nap(kNap);
        if (looks == 2) connection_->wait(kWait);
        looks = looks == 2 ? 0 : looks + 1;
        if (const Status arrived = connection_->consume_input(); !arrived.is_ok()) return arrived;
        continue;
      }
      looks = 0;
      if (rows_to_pass_ > 0) {
        --rows_to_pass_;
        continue;
      }
      pending_ = *row;
    }
    const std::string_view text = pending_->text;
    if (batch.frame_count() == batch.rows_most() || !batch.has_room(text.size())) return Progress::kMore;
    largest_row_was_large_ = largest_row_was_large_ || text.size() > kLargeRow;
    last_row_ = batch.frames_size();
    batch.append_frame(text);
    ++rows_;
    pending_.reset();
  }
}

}  // namespace walcat
