#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "walcat/base/counted_notice.h"
#include "walcat/base/log.h"
#include "walcat/base/status.h"
#include "walcat/model/incremental_snapshot.h"
#include "walcat/queue/wake_fd.h"
#include "walcat/reader/incremental_reader.h"
#include "walcat/reader/snapshot_signal.h"

namespace walcat {

/// Where incremental snapshots are asked for: answers the questions for which somebody vouches, and keeps the list of
/// those under way, the first of them in hand.
///
/// The lane's reader puts down what messages ask for, the worker answers when it comes by: nobody but it may speak to
/// the server here. So a snapshot that is paused or cancelled learns of it at its next check_in().
/// Threads: the lane's reader's half and the worker's half, each from one thread, at the same time.
class IncrementalDesk {
 public:
  using Clock = std::chrono::steady_clock;

  /// `news` is notified when the list has changed. Borrows all but the logger.
  IncrementalDesk(IncrementalReader& reader, const WakeFd& news, const log::Logger& logger);

  // The lane's reader's half.

  /// Adds what an earlier run left.
  void resume(const std::vector<IncrementalSnapshot>& snapshots);
  /// Adds one that is news.
  void add(const IncrementalSnapshot& snapshot);
  /// Puts down what messages ask for, each once however often the stream brings it, and no more than a few at a time;
  /// passes marks over. Returns whether there is something to answer.
  bool hear(const std::vector<SnapshotSignal>& signals);
  /// Whether there are rows to be read, those aside that are set aside.
  bool is_busy() const;
  /// The list, if it has changed since it was asked for.
  std::shared_ptr<const std::vector<IncrementalSnapshot>> take_news();
  /// Wakes the worker for good.
  void close();

  // The worker's half.

  /// Waits for the snapshot that is to be in hand, answering; nothing once closed.
  std::optional<IncrementalSnapshot> wait_for_snapshot();
  /// Answers, and waits while the snapshot in hand is paused. kStopped if nobody wants `id` any more.
  Status check_in(const std::string& id);
  /// As check_in(), until `time`.
  Status check_in_until(const std::string& id, Clock::time_point time);
  /// Keeps how far the snapshot in hand has come with the next batch that is written. kStopped if nobody wants it any
  /// more.
  Status store(IncrementalSnapshot& snapshot);
  /// Leaves `tables` of the snapshot in hand for later, under an ID of their own unless they are all it has; other
  /// snapshots are in hand meanwhile. kStopped if nothing of the snapshot is left to be read now.
  Status set_aside(IncrementalSnapshot& snapshot, const std::set<TableName>& tables);
  /// Whether `id` was set aside whole.
  bool is_set_aside(const std::string& id);
  /// What was set aside is read now.
  void take_up(const std::string& id);
  /// Takes `id` off the list; false if it was cancelled before.
  bool take_off(const std::string& id);
  /// Tells whoever asked for `snapshot` what became of it, now and when asked again.
  void tell_end(const IncrementalSnapshot& snapshot, const std::string& state, const std::string& text);
  /// Whether the time was slept through.
  bool sleep(std::chrono::milliseconds time);

 private:
  struct End {
    std::string state;
    std::string text;
  };

  /// Of the list, the first that waits for nothing; end() if there is none.
  std::vector<IncrementalSnapshot>::iterator next_due();
  bool rests(const std::string& id) const;
  void answer();
  void answer(const std::vector<SnapshotSignal>& asked);
  void note_foreign(const SnapshotSignal& signal);
  void obey(const SnapshotSignal& signal);
  void steer(const SnapshotSignal& signal);
  Status check_tables(const IncrementalSnapshot& asked);
  void accept(const IncrementalSnapshot& asked);
  void say(const IncrementalSnapshot& to, const std::string& state, const std::string& text);

  const WakeFd& news_;
  const log::Logger logger_;

  // Both. `changed_` wakes the worker: for what the lane's reader changes.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool is_closed_ = false;
  std::vector<SnapshotSignal> asked_;
  std::vector<IncrementalSnapshot> snapshots_;
  /// Snapshots that were set aside, by ID: until when, and how long that was.
  struct Pause {
    Clock::time_point until;
    Clock::duration length;
  };
  std::map<std::string, Pause> set_aside_;
  bool has_news_ = false;

  // The lane's reader.
  Lsn heard_;
  CountedNotice dropped_;

  // The worker.
  IncrementalReader& reader_;
  /// What became of this run's snapshots, and of its other questions.
  std::map<std::string, End> ended_;
  CountedNotice foreign_;
  CountedNotice unanswered_;
};

}  // namespace walcat
