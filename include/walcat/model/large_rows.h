#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace walcat {

/// The memory for rows that are larger than a batch: one budget for all connections, who wait for it in turn.
///
/// A row is charged for all that will be made of it (kShare): while it arrives by what has come of it, since libpq
/// tells no sizes, and then in two parts. What its batch makes of it comes back with the batch. libpq's room for it
/// stays with the connection until that ends. Whoever asked first goes first, and may go beyond the budget if nobody
/// else is on the way: a row that is larger than the budget still goes.
///
/// Threads: thread-safe; a Claim belongs to one thread.
class LargeRows : public std::enable_shared_from_this<LargeRows> {
 public:
  using Clock = std::chrono::steady_clock;

  /// Bytes that a byte of a row takes at the most: in libpq's room, in the batch's frames, and in its lines, where a
  /// control character becomes \u00XX. (libpq's copy of the frame is gone before there are lines.)
  static constexpr std::size_t kShare = 8;
  /// Of these, what goes with the batch.
  static constexpr std::size_t kBatchShare = kShare - 1;

  explicit LargeRows(std::size_t budget) : budget_(budget) {}

  /// What a batch has taken; gives it back when it is destroyed.
  class Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : rows_(std::move(other.rows_)), bytes_(std::exchange(other.bytes_, 0)), is_parked_(other.is_parked_) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { give_back(); }

    /// Nothing is held any more.
    void give_back();
    /// Whether it waits for something else to come by: nobody's turn waits for it then.
    void park(bool is_parked);

   private:
    friend class LargeRows;
    Hold(std::shared_ptr<LargeRows> rows, std::size_t bytes, bool is_parked)
        : rows_(std::move(rows)), bytes_(bytes), is_parked_(is_parked) {}

    std::shared_ptr<LargeRows> rows_;
    std::size_t bytes_ = 0;
    bool is_parked_ = false;
  };

  /// A connection's part of the budget.
  class Claim {
   public:
    /// `rows` may be null: then everything is granted. `wake` is called, by any thread and at any time, when it is
    /// worth to ask again, or when others want libpq's room back.
    Claim(std::shared_ptr<LargeRows> rows, std::function<void()> wake);
    ~Claim();
    Claim(const Claim&) = delete;
    Claim& operator=(const Claim&) = delete;

    /// Asks for a row of which `bytes` are here, or would be. False: it is to wait, and stands in line.
    bool ask(std::size_t bytes);
    /// The row is put into a batch. `is_parked`: that does not go down the street at once, so nobody's turn waits for
    /// it; see Hold::park().
    Hold take(std::size_t bytes, bool is_parked = false);
    /// The row has gone elsewhere; only libpq's room for it stays.
    void pass(std::size_t bytes);
    /// The connection has ended.
    void release();

    bool is_in_line() const { return turn_ != 0; }
    const LargeRows* rows() const { return rows_.get(); }
    /// Bytes that libpq keeps for the largest row so far.
    std::size_t room() const { return room_; }
    /// Whether the room comes back as soon as what was read is stored: whose turn it is waits for that a while.
    void will_return(bool returns);
    /// Whether somebody waits who may be helped by it.
    bool is_wanted() const;
    /// How long others have waited for this one, whose turn it is.
    Clock::duration keeps_waiting() const;

   private:
    friend class LargeRows;

    std::size_t total() const { return room_ + charged_; }

    const std::shared_ptr<LargeRows> rows_;
    const std::function<void()> wake_;
    // All below: written by the owner under the mutex, so the owner may read them without it.
    std::size_t room_ = 0;
    /// What is charged beyond the room for the row that is arriving.
    std::size_t charged_ = 0;
    /// Place in the line; 0: not in it.
    std::uint64_t turn_ = 0;
    bool is_waiting_ = false;
    std::optional<Clock::time_point> returns_since_;
  };

  /// Whether connections keep more than is to be kept for the next row. Cheap.
  bool keeps_too_much() const { return rooms_.load(std::memory_order_relaxed) > budget_ / 4; }

  /// Whether rows have come by since this was taken.
  bool has_traces() const { return has_traces_.load(std::memory_order_relaxed); }
  bool take_traces() { return has_traces_.exchange(false, std::memory_order_relaxed); }

  /// What is charged now.
  std::size_t charged() const;

 private:
  bool grant(Claim& claim, std::size_t wanted);
  bool may_go_beyond(const Claim& claim) const;
  bool is_behind_others(const Claim& claim) const;
  void set_room(Claim& claim, std::size_t room);
  void leave_line(Claim& claim);
  void give_back(std::size_t bytes, bool is_parked);
  Claim* first_waiting() const;
  void wake_next() const;
  void note_contention();

  const std::size_t budget_;
  mutable std::mutex mutex_;
  std::vector<Claim*> claims_;
  std::size_t sum_ = 0;
  /// What batches hold that come back by themselves.
  std::size_t on_the_way_ = 0;
  std::uint64_t turns_ = 0;
  std::size_t waiting_ = 0;
  /// Since when somebody waits, whoever's turn it is.
  std::optional<Clock::time_point> contended_since_;
  std::uint64_t contended_turn_ = 0;
  std::atomic<std::size_t> rooms_{0};
  std::atomic<bool> has_traces_{false};
};

}  // namespace walcat
