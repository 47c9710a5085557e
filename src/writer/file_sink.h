#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>

#include "output_file.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/writer/sink.h"

namespace walcat {

/// A regular file as a sink. A full disk is waited for.
///
/// Lines go to the file at the path, whatever becomes of the one that was opened first. Each sync() compares them:
///
/// - A file that was moved (as log rotation does) is ended at a line's border and synced, and another is opened.
/// - Of a file that was deleted, what came since the last sync() is written again to another. A reader that had it from
///   the deleted file finds it twice.
/// - While no other can be opened nothing is taken, and what only the deleted file has is not called synced.
///
/// A file that is stdout has no path: its deletion is told, and no more can be done.
class FileSink : public Sink {
 public:
  explicit FileSink(std::shared_ptr<OutputFile> file);

  Status write(std::span<const iovec> parts, std::size_t& accepted) override;
  /// As Sink::sync(); and kUnavailable while what was accepted is in a deleted file alone.
  Status sync() override;
  bool has_unsynced() const override { return has_unsynced_.load(std::memory_order_relaxed); }
  void interrupt() override;
  int watch_fd() const override { return -1; }

 private:
  using Turn = std::unique_lock<std::mutex>;

  Turn take_turn();
  Status sync_and_follow();
  void wait_for(Turn& turn, const Status& obstacle, const char* way_out);
  void complain(const Status& obstacle, const char* way_out);
  Status sync_failed(const OutputFile& file, int error);
  Status follow_path(FilePlace place);
  Status follow_moved();
  Status follow_deleted();
  void take_up(std::shared_ptr<OutputFile> next);
  void warn_of_lost_name(FilePlace place);

  WakeFd wake_;
  std::atomic<bool> interrupted_{false};
  /// Why the file could not be synced; 0: it could.
  std::atomic<int> sync_error_{0};
  std::atomic<bool> has_unsynced_{false};

  /// Held by the thread that has the next turn, until it has it: in a flood write() would take one after the other.
  std::mutex next_turn_;
  /// Held by write(), but not while it waits, and by sync(), but not while the disk syncs.
  std::mutex turn_;
  // Guarded by turn_:
  std::shared_ptr<OutputFile> file_;
  /// Bytes that were accepted in all, and how many of these were synced in a file that had a name.
  std::uint64_t accepted_ = 0;
  std::uint64_t settled_ = 0;
  /// A write has begun and not come to its end, which is a line's.
  bool is_mid_line_ = false;
  /// The file is not the path's, and another could not be opened.
  bool is_stranded_ = false;
  bool is_full_ = false;
  /// Of stdout: it had a name, whose loss was not told yet.
  bool may_warn_ = true;
  std::chrono::steady_clock::time_point next_complaint_;
};

}  // namespace walcat
