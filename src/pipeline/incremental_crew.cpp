#include "incremental_crew.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "walcat/base/shortened_list.h"

namespace walcat {

namespace {

constexpr std::chrono::milliseconds kRetry{1'000};

// Another table may have taken the name: its rows are read from the first key on.
std::vector<std::string> key_of(const KeyedPart& part) {
  auto key = part.key.description();
  key.push_back(fmt::format("table {}", part.part_oid));
  return key;
}

bool lacks_right(const Status& status) {
  return status.code() == StatusCode::kRefused && status.kind() == FaultKind::kAuthentication;
}

}  // namespace

IncrementalCrew::IncrementalCrew(const DatabaseOptions& options, const Selection& selection, SnapshotWindow& window,
                                 const WakeFd& news, const log::Logger& logger)
    : window_(window),
      news_(news),
      logger_(logger),
      reader_(options, selection, stop_, logger),
      desk_(reader_, news, logger),
      hatch_(news),
      tally_(reader_, logger),
      part_reader_(reader_, window, desk_, hatch_, tally_, logger) {
  window_.begin();
}

IncrementalCrew::~IncrementalCrew() { dismiss(); }

void IncrementalCrew::resume(const std::vector<IncrementalSnapshot>& snapshots) {
  if (snapshots.empty()) return;
  desk_.resume(snapshots);
  start_worker();
}

void IncrementalCrew::add(const IncrementalSnapshot& snapshot) {
  desk_.add(snapshot);
  start_worker();
}

void IncrementalCrew::hear(const std::vector<SnapshotSignal>& signals) {
  if (desk_.hear(signals)) start_worker();
}

void IncrementalCrew::start_worker() {
  if (worker_.size() > 0 || stop_.requested()) return;
  const Status made = worker_.add([this] { run_worker(); });
  if (made.is_ok()) return;
  next_attempt_ = Clock::now() + kRetry;
  if (std::exchange(is_missing_, true)) return;
  logger_.warning("incremental snapshots wait: {}", made.message());
}

void IncrementalCrew::look_for_worker() {
  if (!is_missing_ || Clock::now() < next_attempt_) return;
  start_worker();
  is_missing_ = worker_.size() == 0;
}

void IncrementalCrew::run_worker() {
  try {
    work();
  } catch (const std::exception& error) {
    logger_.error("incremental snapshots end here: {}", error.what());
    window_.forget();
  }
}

std::vector<std::unique_ptr<Batch>> IncrementalCrew::dismiss() {
  stop_.request();
  desk_.close();
  hatch_.close();
  window_.abandon();
  worker_.join();
  auto batches = hatch_.clear_out();
  if (auto batch = part_reader_.take_batch()) batches.push_back(std::move(batch));
  return batches;
}

void IncrementalCrew::work() {
  while (auto snapshot = desk_.wait_for_snapshot()) {
    const Status status = try_to_read(*snapshot);
    window_.forget();
    part_reader_.forget();
    if (stop_.requested()) return;
    if (status.code() == StatusCode::kStopped && desk_.is_set_aside(snapshot->id)) continue;
    if (status.is_transient()) {
      logger_.warning("incremental snapshot {}: {}; going on in {:.1f} s", snapshot->id, status.message(),
                      static_cast<double>(kRetry.count()) / 1000);
      reader_.disconnect();
      if (!desk_.sleep(kRetry)) return;
      continue;
    }
    finish(*snapshot, status);
  }
}

Status IncrementalCrew::try_to_read(IncrementalSnapshot& snapshot) {
  try {
    return read_snapshot(snapshot);
  } catch (const std::exception& error) {
    if (!is_shortage(error)) throw;
    return status_of(error, worker_.name());
  }
}

Status IncrementalCrew::read_snapshot(IncrementalSnapshot& snapshot) {
  if (Status connected = reader_.connect(); !connected.is_ok()) return put_off(snapshot, connected);
  tally_.begin();
  if (Status fit = check_tables(snapshot); !fit.is_ok()) return put_off(snapshot, fit);
  desk_.take_up(snapshot.id);
  logger_.info("incremental snapshot {}: {} tables, {} rows{}", snapshot.id, snapshot.tables.size(),
               tally_.expected_rows(), snapshot.last_key.empty() ? "" : ", going on where it was left");
  if (Status following = begin_following(); !following.is_ok()) return following;
  while (!snapshot.tables.empty()) {
    const TableName table = snapshot.tables.front();
    if (Status read = read_table(snapshot); !read.is_ok()) return read;
    // It may have been set aside.
    std::erase(snapshot.tables, table);
    snapshot.part = TableName{};
    snapshot.last_key.clear();
    if (Status stored = desk_.store(snapshot); !stored.is_ok()) return stored;
  }
  return tally_.outcome();
}

// What is refused before a table was looked at (a password that is being changed, a right to connect) says nothing of
// the rows, and of tables that were added nobody would ask again.
Status IncrementalCrew::put_off(IncrementalSnapshot& snapshot, const Status& why) {
  if (!snapshot.is_added || why.code() != StatusCode::kRefused) return why;
  logger_.warning("incremental snapshot {}: {}; trying again, after a minute at the latest", snapshot.id,
                  why.message());
  reader_.disconnect();
  return desk_.set_aside(snapshot, {snapshot.tables.begin(), snapshot.tables.end()});
}

Result<std::vector<IncrementalReader::Plan>> IncrementalCrew::plan(const IncrementalSnapshot& snapshot,
                                                                   std::span<const TableName> tables) {
  auto plans = reader_.plan(tables, snapshot.where);
  if (!plans.is_ok() || snapshot.parts.empty()) return plans;
  for (auto& plan : *plans) {
    if (!plan.is_ok()) continue;
    std::erase_if(*plan, [&](const KeyedPart& part) {
      return std::find(snapshot.parts.begin(), snapshot.parts.end(), part.part_oid) == snapshot.parts.end();
    });
  }
  return plans;
}

// Of an ordinary table the plan is used when its turn comes: whether it still holds, each chunk looks. A partitioned
// one may have other partitions by then, and one that is refused may be fit.
void IncrementalCrew::keep_plans(std::span<const TableName> tables, std::vector<IncrementalReader::Plan> plans) {
  for (std::size_t i = 0; i < tables.size(); ++i) {
    if (!plans[i].is_ok()) continue;
    const bool is_ordinary = plans[i]->size() == 1 && plans[i]->front().part == tables[i];
    planned_[tables[i]] = is_ordinary ? *std::move(plans[i]) : std::vector<KeyedPart>();
  }
}

// The plan that was made ahead, if there is one that may hold; else another one, with the next tables' if all that were
// made ahead are used up.
IncrementalReader::Plan IncrementalCrew::plan_first(const IncrementalSnapshot& snapshot) {
  const std::span<const TableName> tables(snapshot.tables);
  if (planned_.empty()) {
    const auto round = tables.first(std::min(tables.size(), IncrementalReader::kPlannedMost));
    auto plans = plan(snapshot, round);
    if (!plans.is_ok()) return plans.status();
    auto first = std::move(plans->front());
    plans->erase(plans->begin());
    keep_plans(round.subspan(1), *std::move(plans));
    return first;
  }
  const auto ahead = planned_.extract(tables.front());
  if (!ahead.empty() && !ahead.mapped().empty()) return std::move(ahead.mapped());
  auto plans = plan(snapshot, tables.first(1));
  return plans.is_ok() ? std::move(plans->front()) : IncrementalReader::Plan(plans.status());
}

// Tables that came into the configuration are nobody's question: there a refusal is a warning, and a right that is
// missing is waited for.
Status IncrementalCrew::check_tables(IncrementalSnapshot& snapshot) {
  std::set<TableName> unfit, locked;
  std::vector<Refusal> not_read;
  Status lacks;
  planned_.clear();
  const std::span<const TableName> tables(snapshot.tables);
  for (std::size_t at = 0; at < tables.size(); at += IncrementalReader::kPlannedMost) {
    const auto round = tables.subspan(at, std::min(tables.size() - at, IncrementalReader::kPlannedMost));
    auto plans = plan(snapshot, round);
    if (!plans.is_ok()) return plans.status();
    for (std::size_t i = 0; i < round.size(); ++i) {
      const auto& parts = (*plans)[i];
      if (parts.is_ok()) {
        for (const KeyedPart& part : *parts) tally_.expect(part);
      } else if (parts.status().code() != StatusCode::kRefused) {
        return parts.status();
      } else if (snapshot.is_added && lacks_right(parts.status())) {
        locked.insert(round[i]);
        lacks = parts.status();
      } else {
        unfit.insert(round[i]);
        if (snapshot.is_added) {
          not_read.push_back({round[i], parts.status().message()});
        } else {
          tally_.pass_over(parts.status());
        }
      }
    }
    if (at == 0) keep_plans(round, *std::move(plans));
  }
  tell_not_read(not_read);
  if (unfit.empty() && locked.empty()) return Status::ok();
  snapshot.leave_out(unfit);
  return locked.empty() ? desk_.store(snapshot) : wait_for_rights(snapshot, locked, lacks);
}

// Without the table's name.
std::string IncrementalCrew::reason_of(const Refusal& refusal) {
  const std::string name = "table " + refusal.table.to_string() + ": ";
  return refusal.why.starts_with(name) ? refusal.why.substr(name.size()) : refusal.why;
}

// Of one reason, a line for each of a few tables, and one line for many.
void IncrementalCrew::tell_not_read(const std::vector<Refusal>& refusals) const {
  constexpr std::size_t kLinesMost = 3;
  constexpr const char* kHint = "hint: walcat snapshot --dump prints them";
  std::map<std::string, std::vector<const Refusal*>> by_reason;
  for (const Refusal& refusal : refusals) by_reason[reason_of(refusal)].push_back(&refusal);
  for (const auto& [reason, refused] : by_reason) {
    if (refused.size() > kLinesMost) {
      std::vector<std::string> names;
      for (const Refusal* refusal : refused) names.push_back(refusal->table.to_string());
      logger_.warning("rows that {} tables had before are not printed: {}: {}; {}", names.size(), reason,
                      shortened_list(names), kHint);
      continue;
    }
    for (const Refusal* refusal : refused) {
      logger_.warning("rows that table {} had before are not printed: {}; {}", refusal->table.to_string(), refusal->why,
                      kHint);
    }
  }
}

Status IncrementalCrew::wait_for_rights(IncrementalSnapshot& snapshot, const std::set<TableName>& tables,
                                        const Status& why) {
  std::vector<std::string> news;
  for (const TableName& table : tables) {
    if (told_.insert(table).second) news.push_back(table.to_string());
  }
  if (!news.empty()) {
    logger_.warning("rows that {} had before are not printed yet: {}; they are read once walcat may",
                    shortened_list(news), why.message());
  }
  return desk_.set_aside(snapshot, tables);
}

// From some moment on the decoder remembers which transactions came by. Those that began before it must have ended
// before a chunk is read: whether they came by, nobody knows.
Status IncrementalCrew::begin_following() {
  window_.follow();
  news_.notify();
  if (!window_.wait_for_follower()) return {StatusCode::kStopped, "stopped"};
  const auto next = reader_.next_transaction();
  if (!next.is_ok()) return next.status();
  window_.begin_at(*next);
  return Status::ok();
}

Status IncrementalCrew::read_table(IncrementalSnapshot& snapshot) {
  for (bool is_read = false; !is_read;) {
    auto parts = plan_first(snapshot);
    if (snapshot.is_added && lacks_right(parts.status())) {
      return wait_for_rights(snapshot, {snapshot.tables.front()}, parts.status());
    }
    if (parts.status().code() == StatusCode::kRefused) {
      tally_.pass_over(parts.status());
      return Status::ok();
    }
    if (!parts.is_ok()) return parts.status();
    if (Status described = reader_.describe(*parts); !described.is_ok()) return described;
    // A leaf that is gone was read, or has no rows any more; those before it were read.
    const auto in_hand =
        std::find_if(parts->begin(), parts->end(), [&](const KeyedPart& part) { return part.part >= snapshot.part; });
    is_read = true;
    for (auto part = in_hand; part != parts->end() && is_read; ++part) {
      const auto key = key_of(*part);
      if (part->part != snapshot.part || key != snapshot.key) {
        snapshot.part = part->part;
        snapshot.key = key;
        snapshot.last_key.clear();
      }
      const auto read = part_reader_.read(*part, snapshot);
      if (!read.is_ok()) {
        const Status why = read.status().with_context("table " + part->part.to_string());
        return why.code() == StatusCode::kRefused && !lacks_right(why) ? give_up_table(why) : why;
      }
      is_read = *read;
    }
  }
  return Status::ok();
}

// What its rows, its owner's functions or the condition make of it is no fault of the tables behind it.
Status IncrementalCrew::give_up_table(const Status& why) {
  tally_.pass_over(why);
  window_.forget();
  part_reader_.forget();
  reader_.disconnect();
  return begin_following();
}

void IncrementalCrew::finish(const IncrementalSnapshot& snapshot, const Status& status) {
  const std::string& id = snapshot.id;
  log::show_status(logger_.database(), "");
  if (!desk_.take_off(id)) {
    logger_.info("incremental snapshot {}: cancelled after {} rows", id, tally_.printed());
    return;
  }
  const std::string text = status.is_ok() ? tally_.sum() : status.message();
  if (status.is_ok()) {
    logger_.info("incremental snapshot {} complete: {}", id, text);
  } else {
    logger_.error("incremental snapshot {} refused: {}", id, text);
    // The connection may be in a transaction that has failed.
    reader_.disconnect();
  }
  desk_.tell_end(snapshot, status.is_ok() ? "complete" : "refused", text);
}

}  // namespace walcat
