#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "walcat/postgres/snapshot.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

namespace {

constexpr int kAttempts = 3;
// The server's table of locks holds a few thousand, and the snapshot's holder has locked each table already.
constexpr std::size_t kLockedMost = 1'000;
constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::microseconds kNap{300};
constexpr std::size_t kPendingRoom = std::size_t{64} << 10;
// libpq keeps room for the largest row it has met until its connection ends.
constexpr std::size_t kLargeRow = std::size_t{4} << 20;

}  // namespace

ChunkReader::ChunkReader(const DatabaseOptions& options, const SnapshotStart& start, const StopRequest& stop,
                         const log::Logger& logger)
    : options_(options), start_(start), stop_(stop), logger_(logger) {}

void ChunkReader::begin(const SnapshotTask& task) {
  task_ = task;
  copying_ = false;
  forget_pending();
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
    forget_pending();
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
  const auto prepare = [&] {
    // Whoever waits for an exclusive lock on a table waits for our snapshot's holder: we must not wait for them long.
    for (const std::string& sql :
         {std::string("SET row_security = off"), std::string("SET lock_timeout = '5s'"),
          std::string("SET synchronize_seqscans = off"), std::string("BEGIN READ ONLY ISOLATION LEVEL REPEATABLE READ"),
          "SET TRANSACTION SNAPSHOT " + connection_->literal(start_.exported_name)}) {
      if (Status done = connection_->execute(sql); !done.is_ok()) return done;
    }
    return start_.tables.size() > kLockedMost ? Status::ok() : lock_tables(*connection_, start_.tables);
  };
  const Status prepared = prepare();
  if (prepared.is_ok()) return prepared;
  connection_.reset();
  // The snapshot has gone with its holder, or somebody wants a table for himself: it has to be taken anew.
  return {StatusCode::kUnavailable, prepared.message()};
}

Status ChunkReader::start_copy() {
  if (connection_ == nullptr) {
    if (const Status connected = connect(); !connected.is_ok()) return connected;
  }
  if (const Status started = connection_->start_copy(task_.copy); !started.is_ok()) return started;
  copying_ = true;
  forget_pending();
  return Status::ok();
}

// Rows go straight into the batch. The one that its room ends in is gathered aside, and opens the next batch.
Result<ChunkReader::Progress> ChunkReader::fill(Batch& batch) {
  if (!copying_) {
    if (const Status started = start_copy(); !started.is_ok()) return started;
  }
  for (;;) {
    const bool is_full = batch.frame_count() == batch.rows_most();
    const std::span<char> room = is_full ? std::span<char>() : batch.frame_room();
    const bool is_aside = !pending_.empty() || room.empty();
    if (pending_is_whole_) {
      if (batch.has_frames() && rows_to_pass_ == 0) return Progress::kMore;
      take_pending(batch);
      continue;
    }
    const auto part = is_aside ? read_pending() : connection_->read_row(room.data(), room.size());
    if (!part.is_ok()) return part.status();
    if (part->has_ended) {
      copying_ = false;
      return Progress::kEnded;
    }
    if (part->bytes == 0) {
      if (const Status waited = wait_for_rows(); !waited.is_ok()) return waited;
      continue;
    }
    looks_ = 0;
    if (is_aside) continue;
    if (!part->is_whole) {
      pending_.assign(room.data(), part->bytes);
    } else if (rows_to_pass_ > 0) {
      --rows_to_pass_;
    } else {
      last_row_ = batch.frames_size();
      batch.add_written_frame(part->bytes - 1);
      ++rows_;
    }
  }
}

// Three looks: at once, after a nap, and when something comes. A server that sends is not woken for by naps.
Status ChunkReader::wait_for_rows() {
  if (stop_.requested()) return {StatusCode::kStopped, "stopped"};
  if (looks_ == 1) connection_->nap(kNap);
  if (looks_ == 2) connection_->wait(kWait);
  looks_ = looks_ == 2 ? 0 : looks_ + 1;
  return connection_->consume_input();
}

// The row grows in place; what is not yet there is cut off again.
Result<Connection::RowPart> ChunkReader::read_pending() {
  const std::size_t size = pending_.size();
  pending_.resize(std::max(2 * size, kPendingRoom));
  auto part = connection_->read_row(pending_.data() + size, pending_.size() - size);
  pending_.resize(size + (part.is_ok() ? part->bytes : 0));
  pending_is_whole_ = part.is_ok() && part->is_whole;
  return part;
}

void ChunkReader::take_pending(Batch& batch) {
  if (rows_to_pass_ > 0) {
    --rows_to_pass_;
  } else {
    largest_row_was_large_ = largest_row_was_large_ || pending_.size() > kLargeRow;
    last_row_ = batch.frames_size();
    batch.append_frame(std::string_view(pending_).substr(0, pending_.size() - 1));
    ++rows_;
  }
  forget_pending();
}

void ChunkReader::forget_pending() {
  pending_is_whole_ = false;
  if (pending_.capacity() > kLargeRow) std::string().swap(pending_);
  pending_.clear();
}

}  // namespace walcat
