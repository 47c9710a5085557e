#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "walcat/base/status.h"
#include "walcat/metrics/delays.h"
#include "walcat/pipeline/options.h"
#include "walcat/reader/capture_player.h"
#include "walcat/writer/sink.h"

namespace walcat {

/// What a replay did, and how long it took.
struct ReplayTally {
  struct Lane {
    std::string label;
    std::uint64_t changes = 0;
  };
  /// From when the first change was due until the last line was written.
  std::chrono::nanoseconds time{0};
  std::uint64_t frames = 0;
  std::uint64_t frame_bytes = 0;
  std::uint64_t changes = 0;
  std::uint64_t line_bytes = 0;
  /// From when changes were due until their lines were written; without a rate or a speed, from when they were read.
  Delays delays;
  std::vector<Lane> lanes;
};

/// How a run ended.
struct Outcome {
  struct Database {
    std::string label;
    /// Why it was given up; ok if it ended on request or at its bound.
    Status status;
  };
  std::vector<Database> databases;
  /// Why the output took no more; ok if it took everything.
  Status output;
  /// Offsets that could not be stored at the end.
  Status offsets;
  /// Of a replay only.
  std::optional<ReplayTally> replay;
};

/// What a street that was told to end at once is waiting for.
struct Hanging {
  /// Empty: no database in particular.
  std::string database;
  /// What it is at, and what the next run makes of it.
  std::string text;
};

/// The street: every database's reader, the decoders, the serializers, the writer and the keeper of offsets, each on
/// threads of their own, joined by queues.
///
/// Threads: stop(), abort() and hanging() from any thread, at any time; they neither wait nor write. All else from one
/// thread, except that any thread may poll done_fd().
class Pipeline {
 public:
  /// `player`: where the frames come from in place of servers, one database of `options` for each of its streams, in
  /// their order; null: from servers.
  ///
  /// Errors: kConfiguration if the memory limit does not hold a share for every database, kOutputFailed if the capture
  ///     can't be written.
  static Result<std::unique_ptr<Pipeline>> create(const PipelineOptions& options, std::unique_ptr<Sink> sink,
                                                  std::unique_ptr<CapturePlayer> player = nullptr);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Errors: kUnavailable if the system refuses a thread that every database needs; nothing runs then. A database whose
  ///     own thread is refused fails alone.
  Status start();

  /// Readers end at the next commit, or after shutdown_timeout wherever they are; the street drains; offsets are
  /// stored.
  void stop();
  /// How long a stop takes at most where nothing hangs: shutdown_timeout until the readers end, as long again until the
  /// output is interrupted, and as long again and ten seconds to store the offsets and to take leave of the servers. A
  /// name server, a disk, or a server whose password takes libpq hours to prove may hang beyond that. From any thread.
  std::chrono::milliseconds stop_time_most() const;
  /// Gives up what is on its way; what was written is stored.
  void abort();
  /// What still runs: for who was asked to abort(), and has waited.
  std::vector<Hanging> hanging() const;
  /// Logs where each database stands, and its errors by kind.
  void report() const;
  /// Nobody reads the output any more, seen from outside the writer.
  void output_closed();

  /// Readable once every database has ended; then call finish().
  int done_fd() const;
  /// See Sink::watch_fd().
  int output_fd() const;
  /// Waits for all threads to end.
  Outcome finish();

 private:
  class Street;
  explicit Pipeline(std::unique_ptr<Street> street);
  std::unique_ptr<Street> street_;
};

}  // namespace walcat
