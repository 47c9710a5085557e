#include "walcat/reader/wal_guard.h"

#include <fmt/format.h>

#include <algorithm>

namespace walcat {

namespace {

constexpr std::uint64_t kNotableLag = std::uint64_t{16} << 20;
constexpr int kLooksBetweenTellings = 20;
// Beyond these, every other one is forgotten: the age of a long lag need not be exact.
constexpr std::size_t kPositionsMost = 256;

std::string size_text(std::uint64_t bytes) {
  const auto in = [bytes](int shift) { return static_cast<double>(bytes) / static_cast<double>(1ULL << shift); };
  if (bytes >= 1ULL << 30) return fmt::format("{:.1f} GiB", in(30));
  if (bytes >= 1ULL << 20) return fmt::format("{:.1f} MiB", in(20));
  return fmt::format("{:.1f} KiB", in(10));
}

std::uint64_t distance(Lsn from, Lsn to) { return to > from ? to.value - from.value : 0; }

}  // namespace

WalGuard::WalGuard(const WalGuardOptions& options) : sizes_(options.warn_at) {
  std::sort(sizes_.begin(), sizes_.end());
}

std::vector<WalGuard::Remark> WalGuard::look(const SlotUsage& usage, Lsn written, Clock::time_point now) {
  remarks_.clear();
  judge_retention(usage.restart ? distance(usage.restart, usage.current) : 0);
  judge_limit(usage);
  judge_end(usage.current, written);
  judge_lag(usage.current, written, now);
  return std::move(remarks_);
}

void WalGuard::judge_retention(std::uint64_t retained) {
  const auto passed = static_cast<std::size_t>(
      std::count_if(sizes_.begin(), sizes_.end(), [&](std::uint64_t size) { return retained >= size; }));
  if (passed > passed_) {
    passed_ = passed;
    remarks_.push_back({log::Level::kWarning, fmt::format("the slot retains {} of the server's log, more than {} "
                                                          "(wal_guard.warn_at)",
                                                          size_text(retained), size_text(sizes_[passed - 1]))});
    return;
  }
  const std::size_t before = passed_;
  while (passed_ > 0 && retained < sizes_[passed_ - 1] / 5 * 4) --passed_;
  if (passed_ == before) return;
  remarks_.push_back({log::Level::kInfo, fmt::format("the slot retains {} of the server's log, less than {} again",
                                                     size_text(retained), size_text(sizes_[passed_]))});
}

void WalGuard::judge_limit(const SlotUsage& usage) {
  Danger danger = Danger::kNone;
  if (usage.wal_status == "unreserved") {
    danger = Danger::kPassed;
  } else if (usage.safe_bytes && *usage.safe_bytes < usage.limit_bytes / 4) {
    danger = Danger::kNear;
  } else if (danger_ == Danger::kNear && usage.safe_bytes && *usage.safe_bytes < usage.limit_bytes / 3) {
    danger = Danger::kNear;
  }
  if (danger == danger_) return;
  const Danger before = std::exchange(danger_, danger);
  const std::string limit = size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(usage.limit_bytes, 0)));
  if (danger == Danger::kPassed) {
    remarks_.push_back({log::Level::kError,
                        fmt::format("the slot retains more than the server's max_slot_wal_keep_size of {}: its next "
                                    "checkpoint may invalidate the slot, and changes are lost",
                                    limit)});
  } else if (danger == Danger::kNear && before == Danger::kNone) {
    remarks_.push_back(
        {log::Level::kWarning,
         fmt::format("the server writes {} more and then may invalidate the slot "
                     "(max_slot_wal_keep_size is {}), and changes are lost",
                     size_text(static_cast<std::uint64_t>(std::max<std::int64_t>(*usage.safe_bytes, 0))), limit)});
  } else if (danger == Danger::kNone) {
    remarks_.push_back(
        {log::Level::kInfo, fmt::format("the slot is safe from max_slot_wal_keep_size ({}) again", limit)});
  }
}

// Once may be a standby that is a moment behind.
void WalGuard::judge_end(Lsn current, Lsn written) {
  looks_at_short_log_ = current < written ? looks_at_short_log_ + 1 : 0;
  if (looks_at_short_log_ != 2) return;
  remarks_.push_back(
      {log::Level::kWarning,
       fmt::format(
           "the server's log ends at {}, but the lines go up to {}: it is a standby that lags behind the server "
           "of the stream, or positions of the stream were wrong, and changes before that one are not printed",
           current.to_string(), written.to_string())});
}

void WalGuard::judge_lag(Lsn current, Lsn written, Clock::time_point now) {
  const std::uint64_t lag = distance(written, current);
  const auto age = age_of_lag(current, written, now);
  ++looks_since_told_;
  if (lag < kNotableLag || stood_.size() < 2) {
    if (lag_told_ != 0 && lag < kNotableLag) {
      remarks_.push_back({log::Level::kInfo, "the output has caught up with the server"});
      lag_told_ = 0;
    }
    return;
  }
  const bool changed = lag / 2 >= lag_told_ || lag <= lag_told_ / 2;
  if (!changed && looks_since_told_ < kLooksBetweenTellings) return;
  remarks_.push_back(
      {log::Level::kInfo, fmt::format("the output is {} and {} s behind the server", size_text(lag), age.count())});
  lag_told_ = lag;
  looks_since_told_ = 0;
}

// For how long the server has been beyond what is written, as far as we have looked.
std::chrono::seconds WalGuard::age_of_lag(Lsn current, Lsn written, Clock::time_point now) {
  std::erase_if(stood_, [&](const auto& stood) { return stood.first <= written; });
  if (current > written) stood_.emplace_back(current, now);
  if (stood_.size() > kPositionsMost) {
    std::size_t i = 0;
    std::erase_if(stood_, [&](const auto&) { return i++ % 2 == 1; });
  }
  if (stood_.empty()) return std::chrono::seconds(0);
  return std::chrono::duration_cast<std::chrono::seconds>(now - stood_.front().second);
}

}  // namespace walcat
