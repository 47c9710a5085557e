#include <fmt/format.h>

#include <utility>

#include "walcat/postgres/snapshot.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

namespace {

constexpr int kAttempts = 3;
// The server's table of locks holds a few thousand, and the snapshot's holder has locked each table already.
constexpr std::size_t kLockedMost = 1'000;
constexpr std::chrono::milliseconds kWait{1'000};
constexpr std::chrono::microseconds kNap{100};
// libpq keeps room for the largest row it has met until its connection ends.
constexpr std::size_t kLargeRow = std::size_t{4} << 20;

}  // namespace

ChunkReader::ChunkReader(const DatabaseOptions& options, const SnapshotStart& start, const StopRequest& stop,
                         const log::Logger& logger)
    : options_(options), start_(start), stop_(stop), logger_(logger) {}

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
