#include "walcat/model/large_rows.h"

#include <algorithm>

namespace walcat {

namespace {

// Longer than to store a position and to connect takes. What stops that, a full disk, stops nobody else.
constexpr std::chrono::seconds kReturnMost{5};

}  // namespace

LargeRows::Hold& LargeRows::Hold::operator=(Hold&& other) noexcept {
  if (this == &other) return *this;
  give_back();
  rows_ = std::move(other.rows_);
  bytes_ = std::exchange(other.bytes_, 0);
  is_parked_ = other.is_parked_;
  return *this;
}

void LargeRows::Hold::give_back() {
  if (rows_ != nullptr) rows_->give_back(bytes_, is_parked_);
  rows_.reset();
}

void LargeRows::Hold::park(bool is_parked) {
  if (rows_ == nullptr || is_parked == is_parked_) return;
  const std::lock_guard lock(rows_->mutex_);
  is_parked_ = is_parked;
  rows_->on_the_way_ += is_parked ? -bytes_ : bytes_;
  if (is_parked) rows_->wake_next();
}

LargeRows::Claim::Claim(std::shared_ptr<LargeRows> rows, std::function<void()> wake)
    : rows_(std::move(rows)), wake_(std::move(wake)) {
  if (rows_ == nullptr) return;
  const std::lock_guard lock(rows_->mutex_);
  rows_->claims_.push_back(this);
}

LargeRows::Claim::~Claim() {
  if (rows_ == nullptr) return;
  release();
  const std::lock_guard lock(rows_->mutex_);
  auto& claims = rows_->claims_;
  claims.erase(std::find(claims.begin(), claims.end(), this));
}

bool LargeRows::Claim::ask(std::size_t bytes) {
  if (rows_ == nullptr) return true;
  const std::lock_guard lock(rows_->mutex_);
  return rows_->grant(*this, std::max(room_, bytes) + kBatchShare * bytes);
}

LargeRows::Hold LargeRows::Claim::take(std::size_t bytes, bool is_parked) {
  if (rows_ == nullptr) return {};
  const std::lock_guard lock(rows_->mutex_);
  rows_->has_traces_.store(true, std::memory_order_relaxed);
  const std::size_t held = kBatchShare * bytes;
  rows_->sum_ += held;
  if (!is_parked) rows_->on_the_way_ += held;
  rows_->set_room(*this, std::max(room_, bytes));
  rows_->leave_line(*this);
  return {rows_, held, is_parked};
}

void LargeRows::Claim::pass(std::size_t bytes) {
  if (rows_ == nullptr) return;
  const std::lock_guard lock(rows_->mutex_);
  rows_->has_traces_.store(true, std::memory_order_relaxed);
  rows_->set_room(*this, std::max(room_, bytes));
  rows_->leave_line(*this);
}

void LargeRows::Claim::release() {
  if (rows_ == nullptr) return;
  const std::lock_guard lock(rows_->mutex_);
  returns_since_.reset();
  rows_->set_room(*this, 0);
  rows_->leave_line(*this);
}

void LargeRows::Claim::will_return(bool returns) {
  if (rows_ == nullptr || returns == returns_since_.has_value()) return;
  const std::lock_guard lock(rows_->mutex_);
  returns_since_ = returns ? std::optional(Clock::now()) : std::nullopt;
  if (!returns) rows_->wake_next();
}

bool LargeRows::Claim::is_wanted() const {
  if (rows_ == nullptr || room_ == 0 || !rows_->keeps_too_much()) return false;
  const std::lock_guard lock(rows_->mutex_);
  return rows_->waiting_ > 0;
}

LargeRows::Clock::duration LargeRows::Claim::keeps_waiting() const {
  if (rows_ == nullptr) return {};
  const std::lock_guard lock(rows_->mutex_);
  if (turn_ == 0 || is_waiting_ || rows_->contended_turn_ != turn_) return {};
  return Clock::now() - *rows_->contended_since_;
}

std::size_t LargeRows::charged() const {
  const std::lock_guard lock(mutex_);
  return sum_;
}

// `wanted`: the claim's room included.
bool LargeRows::grant(Claim& claim, std::size_t wanted) {
  if (claim.turn_ == 0) claim.turn_ = ++turns_;
  const std::size_t total = claim.total();
  const bool fits = sum_ - total + wanted <= budget_;
  const bool may_go = wanted <= total || (fits && !is_behind_others(claim)) || may_go_beyond(claim);
  if (claim.is_waiting_ == may_go) {
    claim.is_waiting_ = !may_go;
    waiting_ += may_go ? std::size_t(-1) : 1;
    if (may_go) wake_next();
    // Those who can give back libpq's room do so when somebody waits.
    for (const Claim* other : claims_) {
      if (!may_go && other->room_ > 0 && other != &claim) other->wake_();
    }
  }
  if (may_go && wanted > total) {
    sum_ += wanted - total;
    claim.charged_ += wanted - total;
  }
  note_contention();
  return may_go;
}

// Small rows would let a large one wait for ever if they overtook it.
bool LargeRows::is_behind_others(const Claim& claim) const {
  if (waiting_ == 0) return false;
  const Claim* first = first_waiting();
  return first != &claim && first->turn_ < claim.turn_;
}

// The first in line, once all others have come back that come back by themselves.
bool LargeRows::may_go_beyond(const Claim& claim) const {
  if (on_the_way_ > 0) return false;
  std::size_t returning = 0;
  const auto now = Clock::now();
  for (const Claim* other : claims_) {
    if (other->turn_ != 0 && other->turn_ < claim.turn_) return false;
    if (other != &claim && other->returns_since_ && now - *other->returns_since_ < kReturnMost) {
      returning += other->room_;
    }
  }
  return returning <= budget_;
}

void LargeRows::set_room(Claim& claim, std::size_t room) {
  sum_ += room - claim.room_;
  rooms_.fetch_add(room - claim.room_, std::memory_order_relaxed);
  claim.room_ = room;
}

void LargeRows::leave_line(Claim& claim) {
  sum_ -= claim.charged_;
  claim.charged_ = 0;
  claim.turn_ = 0;
  if (std::exchange(claim.is_waiting_, false)) --waiting_;
  wake_next();
  note_contention();
}

void LargeRows::give_back(std::size_t bytes, bool is_parked) {
  const std::lock_guard lock(mutex_);
  sum_ -= bytes;
  if (!is_parked) on_the_way_ -= bytes;
  wake_next();
}

LargeRows::Claim* LargeRows::first_waiting() const {
  Claim* first = nullptr;
  for (Claim* claim : claims_) {
    if (claim->is_waiting_ && (first == nullptr || claim->turn_ < first->turn_)) first = claim;
  }
  return first;
}

void LargeRows::wake_next() const {
  if (waiting_ > 0) first_waiting()->wake_();
}

// Who is asked for patience with whom: the first in line, if it goes on, and those behind it.
void LargeRows::note_contention() {
  if (waiting_ == 0 && contended_turn_ == 0) return;
  std::uint64_t turn = 0;
  for (const Claim* claim : claims_) {
    if (claim->turn_ != 0 && (turn == 0 || claim->turn_ < turn)) turn = claim->turn_;
  }
  if (waiting_ == 0) turn = 0;
  if (turn == contended_turn_) return;
  contended_turn_ = turn;
  contended_since_ = turn == 0 ? std::nullopt : std::optional(Clock::now());
}

}  // namespace walcat
