#include <fmt/format.h>

#include <utility>

#include "walcat/postgres/owners_code.h"
#include "walcat/postgres/snapshot.h"
#include "walcat/reader/snapshot.h"

namespace walcat {

namespace {

constexpr int kAttempts = 3;
// The server's table of locks holds a few thousand, and the snapshot's holder has locked each table already.
constexpr std::size_t kLockedMost = 1'000;

}  // namespace

ChunkReader::ChunkReader(const DatabaseOptions& options, const SnapshotStart& start, const StopRequest& stop,
                         const log::Logger& logger)
    : options_(options), start_(start), stop_(stop), logger_(logger), gate_(options.large_rows, [this] {
        stop_.wake().notify();
      }) {}

void ChunkReader::begin(const SnapshotTask& task) {
  task_ = task;
  rows_ = 0;
  if (gate_.is_to_shrink()) disconnect();
  copy_.reset();
}

Result<ChunkReader::Progress> ChunkReader::read(Batch& batch) {
  last_row_.reset();
  for (int attempt = 1;; ++attempt) {
    auto filled = fill(batch);
    if (filled.is_ok() || !filled.status().is_transient()) return filled;
    disconnect();
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
    if (start_.tables.size() <= kLockedMost) {
      if (Status locked = lock_tables(*connection_, start_.tables); !locked.is_ok()) return locked;
    }
    if (options_.dump && !options_.dump->where.empty()) {
      if (Status own = use_own_path(*connection_); !own.is_ok()) return own;
    }
    return begin_owners_code(*connection_);
  };
  const Status prepared = prepare();
  if (prepared.is_ok()) return prepared;
  disconnect();
  if (prepared.code() == StatusCode::kStopped) return prepared;
  // The snapshot has gone with its holder, or somebody wants a table for himself: it has to be taken anew.
  return {StatusCode::kUnavailable, prepared.message()};
}

void ChunkReader::disconnect() {
  copy_.reset();
  connection_.reset();
  gate_.release();
}

Status ChunkReader::start_copy() {
  if (connection_ == nullptr) {
    if (const Status connected = connect(); !connected.is_ok()) return connected;
  }
  copy_.emplace(*connection_, gate_, stop_);
  Status started = copy_->start(task_.copy + pinned_encoding(*connection_), rows_);
  if (!started.is_ok()) copy_.reset();
  return started;
}

Result<ChunkReader::Progress> ChunkReader::fill(Batch& batch) {
  if (!copy_) {
    if (const Status started = start_copy(); !started.is_ok()) return started;
  }
  const std::size_t before = batch.frame_count();
  auto filled = copy_->fill(batch);
  rows_ += batch.frame_count() - before;
  if (copy_->last_row()) last_row_ = copy_->last_row();
  if (filled.is_ok() && *filled == Progress::kEnded) end_copy();
  return filled;
}

// The next task's table may be of another owner. All rows of this one are here, so a connection that breaks now is no
// fault of it.
void ChunkReader::end_copy() {
  copy_.reset();
  if (!undo_owners_code(*connection_).is_ok()) disconnect();
}

}  // namespace walcat
