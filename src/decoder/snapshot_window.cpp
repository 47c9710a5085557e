#include "walcat/decoder/snapshot_window.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "copy_row.h"

namespace walcat {

namespace {

// Rows that may be touched while the chunk is read, before it is known which of them matter.
constexpr std::size_t kTouchedMost = 200'000;
constexpr std::size_t kMissedMost = 200'000;
constexpr std::size_t kSlack = 64;

// Texts after their sizes: no two keys are alike.
void append_text(std::string& key, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  key.append(reinterpret_cast<const char*>(&size), sizeof size);
  key.append(text);
}

SnapshotWindow::Key split_key(std::string_view key) {
  SnapshotWindow::Key texts;
  while (!key.empty()) {
    std::uint32_t size = 0;
    std::memcpy(&size, key.data(), sizeof size);
    texts.emplace_back(key.substr(sizeof size, size));
    key.remove_prefix(sizeof size + size);
  }
  return texts;
}

// Transaction IDs come round; what is compared lies less than half a round apart.
bool is_before(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) < 0; }

}  // namespace

void SnapshotWindow::follow() {
  const std::lock_guard lock(mutex_);
  first_xid_.reset();
  came_by_.clear();
  in_window_.clear();
  missed_.clear();
  end_window();
  is_following_.store(false, std::memory_order_relaxed);
  is_wanted_.store(true, std::memory_order_release);
}

bool SnapshotWindow::wait_for_follower() {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [&] { return is_following() || is_abandoned_; });
  return is_following();
}

void SnapshotWindow::forget() {
  const std::lock_guard lock(mutex_);
  is_wanted_.store(false, std::memory_order_relaxed);
  // Release: who sees that nobody follows any more sees that nobody is to, and does not take it for a lack.
  is_following_.store(false, std::memory_order_release);
  end_window();
  std::vector<bool>().swap(came_by_);
  table_ = Table{};
  missed_.clear();
}

void SnapshotWindow::begin_at(std::uint64_t next_xid) {
  const std::lock_guard lock(mutex_);
  next_xid_ = next_xid;
  first_xid_ = static_cast<std::uint32_t>(next_xid);
  for (const std::uint32_t xid : std::exchange(in_window_, {})) remember(xid);
}

void SnapshotWindow::watch(const Table& table) {
  const std::lock_guard lock(mutex_);
  table_ = table;
  matched_ = nullptr;
  missed_.clear();
}

void SnapshotWindow::open(std::uint64_t chunk) {
  const std::lock_guard lock(mutex_);
  end_window();
  chunk_ = chunk;
  is_open_ = true;
}

bool SnapshotWindow::is_blind(const VisibleTransactions& snapshot) {
  const std::lock_guard lock(mutex_);
  if (snapshot.xmin < next_xid_) return true;
  // What has ended for this snapshot has ended for all that come.
  const std::uint64_t seen = std::min<std::uint64_t>(snapshot.xmin - next_xid_, came_by_.size());
  came_by_.erase(came_by_.begin(), came_by_.begin() + static_cast<std::ptrdiff_t>(seen));
  next_xid_ = snapshot.xmin;
  first_xid_ = static_cast<std::uint32_t>(next_xid_);
  if (std::any_of(snapshot.in_progress.begin(), snapshot.in_progress.end(),
                  [&](std::uint64_t xid) { return came_by(xid); })) {
    return true;
  }
  for (std::uint64_t xid = std::max(snapshot.xmax, next_xid_); xid < next_xid_ + came_by_.size(); ++xid) {
    if (came_by(xid)) return true;
  }
  return false;
}

bool SnapshotWindow::came_by(std::uint64_t xid) const {
  return xid >= next_xid_ && xid - next_xid_ < came_by_.size() && came_by_[xid - next_xid_];
}

SnapshotWindow::Key SnapshotWindow::hold(const Batch& batch, const Relation& relation,
                                         const VisibleTransactions& snapshot) {
  const std::lock_guard lock(mutex_);
  matched_ = nullptr;
  snapshot_ = snapshot;
  const auto touched = std::exchange(touched_, {});
  rows_.reserve(batch.frame_count());
  is_held_ = true;
  for (const std::uint32_t xid : std::exchange(in_window_, {})) remember(xid);
  if (!matches(relation)) {
    is_unclear_ = true;
    return {};
  }
  std::vector<Cell> cells(relation.columns.size());
  std::string row;
  std::string key;
  batch.for_each_frame([&](std::string_view frame) {
    row.assign(frame);
    row.append(kSlack, '\0');
    key.clear();
    if (!split_copy_row(row.data(), frame.size(), row.data(), cells.data(), cells.size())) return true;
    for (const std::size_t position : key_positions_) {
      const Cell& cell = cells[position];
      append_text(key, {row.data() + cell.offset, static_cast<std::size_t>(std::max(cell.size, 0))});
    }
    Fate& fate = rows_[key];
    if (const auto row = touched.find(key); row != touched.end()) {
      for (const Touch& touch : row->second) judge(fate, touch);
    }
    return true;
  });
  return split_key(key);
}

void SnapshotWindow::close() {
  const std::lock_guard lock(mutex_);
  end_window();
}

void SnapshotWindow::end_window() {
  is_open_ = false;
  for (const std::uint32_t xid : std::exchange(in_window_, {})) remember(xid);
  is_held_ = is_unclear_ = all_touched_ = false;
  rows_.clear();
  touched_.clear();
  touches_ = 0;
  verdict_.reset();
}

std::optional<SnapshotWindow::Verdict> SnapshotWindow::wait_for_verdict() {
  std::unique_lock lock(mutex_);
  news_.wait(lock, [&] { return verdict_ || is_abandoned_; });
  const auto verdict = verdict_;
  end_window();
  return verdict;
}

void SnapshotWindow::begin() {
  const std::lock_guard lock(mutex_);
  is_abandoned_ = false;
}

void SnapshotWindow::abandon() {
  const std::lock_guard lock(mutex_);
  is_abandoned_ = true;
  news_.notify_all();
}

std::optional<std::vector<SnapshotWindow::Key>> SnapshotWindow::take_missed() {
  const std::lock_guard lock(mutex_);
  auto missed = std::exchange(missed_, {});
  if (missed.size() >= kMissedMost) return std::nullopt;
  return missed;
}

std::unique_lock<std::mutex> SnapshotWindow::enter() {
  if (!is_wanted_.load(std::memory_order_acquire)) return {};
  std::unique_lock lock(mutex_);
  if (!is_wanted_.load(std::memory_order_relaxed)) return {};
  if (!is_following()) {
    is_following_.store(true, std::memory_order_release);
    news_.notify_all();
  }
  // Relations live as long as their batch: another one may stand at the same address.
  matched_ = nullptr;
  return lock;
}

void SnapshotWindow::pass_transaction(std::uint32_t xid) {
  current_xid_ = xid;
  remember(xid);
}

void SnapshotWindow::remember(std::uint32_t xid) {
  // While the chunk's snapshot is not taken, whatever begins may be seen by it or not: its keys are remembered.
  if (!first_xid_ || (is_open_ && !is_held_)) {
    in_window_.push_back(xid);
    return;
  }
  if (is_before(xid, *first_xid_)) return;
  const std::uint32_t place = xid - *first_xid_;
  if (place >= came_by_.size()) came_by_.resize(place + 1);
  came_by_[place] = true;
}

// Finds the key's columns in a relation that describes the watched table.
bool SnapshotWindow::matches(const Relation& relation) {
  if (relation.oid != table_.relation_oid) return false;
  if (matched_ == &relation) return !key_positions_.empty();
  matched_ = &relation;
  key_positions_.clear();
  for (const std::string& name : table_.key_columns) {
    const auto column = std::find_if(relation.columns.begin(), relation.columns.end(),
                                     [&](const Column& candidate) { return candidate.name == name; });
    if (column == relation.columns.end()) {
      key_positions_.clear();
      is_unclear_ = true;
      return false;
    }
    key_positions_.push_back(static_cast<std::size_t>(column - relation.columns.begin()));
  }
  return !key_positions_.empty();
}

bool SnapshotWindow::key_of(const Batch& batch, const Cell* cells, const Cell* fallback, std::string& key) const {
  key.clear();
  for (const std::size_t position : key_positions_) {
    const Cell* cell = cells + position;
    if (cell->size < 0 && fallback != nullptr) cell = fallback + position;
    if (cell->size < 0) return false;
    append_text(key, batch.text(*cell));
  }
  return true;
}

void SnapshotWindow::touch(const Relation& relation, const Batch& batch, OldTuple old, const Cell* old_cells,
                           const Cell* new_cells) {
  if (!matches(relation)) return;
  bool is_incomplete = false;
  for (std::size_t i = 0; new_cells != nullptr && i < relation.columns.size(); ++i) {
    const bool from_old = old == OldTuple::kFull && old_cells[i].size >= 0;
    is_incomplete = is_incomplete || (new_cells[i].size == Cell::kUnchanged && !from_old);
  }
  std::string old_key;
  const bool has_old = old_cells != nullptr && key_of(batch, old_cells, nullptr, old_key);
  if (old_cells != nullptr && !has_old) is_unclear_ = true;
  if (has_old) note(old_key, false);
  if (new_cells == nullptr) return;
  if (!key_of(batch, new_cells, old_cells, scratch_)) {
    is_unclear_ = true;
    return;
  }
  note(scratch_, is_incomplete);
  // The row may have moved to where no chunk will be read any more.
  if (is_incomplete && has_old && old_key != scratch_) miss(scratch_);
}

void SnapshotWindow::note(const std::string& key, bool is_incomplete) {
  if (!is_open_) return;
  const Touch touch{current_xid_, is_incomplete};
  if (is_held_) {
    if (const auto row = rows_.find(key); row != rows_.end()) judge(row->second, touch);
    return;
  }
  if (touches_ == kTouchedMost) {
    is_unclear_ = true;
    return;
  }
  ++touches_;
  touched_[key].push_back(touch);
}

void SnapshotWindow::judge(Fate& fate, const Touch& touch) const {
  fate.is_touched = true;
  if (sees(touch.xid)) {
    fate.is_seen_incomplete = fate.is_seen_incomplete || touch.is_incomplete;
    return;
  }
  fate.is_outdated = true;
  fate.is_missing = fate.is_missing || touch.is_incomplete;
}

// Transaction IDs of the stream have no epoch: that of the snapshot is near.
bool SnapshotWindow::sees(std::uint32_t xid) const {
  const auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(snapshot_.xmax));
  if (distance >= 0) return false;
  const std::uint64_t whole = snapshot_.xmax - static_cast<std::uint64_t>(-static_cast<std::int64_t>(distance));
  const auto& open = snapshot_.in_progress;
  return std::find(open.begin(), open.end(), whole) == open.end();
}

void SnapshotWindow::miss(const std::string& key) {
  if (missed_.size() < kMissedMost) missed_.push_back(split_key(key));
}

void SnapshotWindow::touch_all(const Relation& relation) {
  if (is_open_ && relation.oid == table_.relation_oid) all_touched_ = true;
}

bool SnapshotWindow::leaves_out(const Relation& relation, const Batch& batch, const Cell* cells) {
  if (is_unclear_ || all_touched_ || !matches(relation)) return true;
  if (!key_of(batch, cells, nullptr, scratch_)) return true;
  const auto row = rows_.find(scratch_);
  if (row == rows_.end()) return true;
  const Fate& fate = row->second;
  if (fate.is_outdated) {
    if (fate.is_missing) miss(scratch_);
    return true;
  }
  // The stream has shown the row as new as it is here; but perhaps not all of it.
  return fate.is_touched && !fate.is_seen_incomplete;
}

void SnapshotWindow::conclude(std::size_t printed, std::size_t left_out) {
  verdict_ = Verdict{printed, left_out, is_unclear_};
  news_.notify_all();
}

}  // namespace walcat
