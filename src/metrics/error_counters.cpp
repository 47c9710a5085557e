#include "walcat/metrics/error_counters.h"

namespace walcat {

namespace {

std::int64_t minute_of(ErrorCounters::Clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::minutes>(time.time_since_epoch()).count();
}

}  // namespace

std::string_view fault_word(FaultKind kind) {
  switch (kind) {
    case FaultKind::kUnknown: return "other";
    case FaultKind::kConnection: return "connection";
    case FaultKind::kAuthentication: return "authentication";
    case FaultKind::kProtocol: return "protocol";
    case FaultKind::kDecode: return "decode";
    case FaultKind::kSlot: return "slot";
    case FaultKind::kSnapshot: return "snapshot";
    case FaultKind::kOffset: return "offset";
    case FaultKind::kOutput: return "output";
  }
  return "other";
}

void ErrorCounters::note(const Status& fault, FaultKind otherwise, Clock::time_point now) {
  const FaultKind kind = fault.or_kind(otherwise).kind();
  const std::int64_t minute = minute_of(now);
  const auto place = static_cast<std::size_t>(minute % kMinutes);
  const std::lock_guard lock(mutex_);
  Record& record = records_[static_cast<std::size_t>(kind)];
  ++record.total;
  if (record.minutes[place] != minute) record.by_minute[place] = 0;
  record.minutes[place] = minute;
  ++record.by_minute[place];
  record.last_time = now;
  record.last_message = fault.message();
}

std::vector<ErrorCounters::Count> ErrorCounters::counts(Clock::time_point now) const {
  std::vector<Count> counts;
  const std::lock_guard lock(mutex_);
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    const Record& record = records_[kind];
    if (record.total == 0) continue;
    Count count{static_cast<FaultKind>(kind), record.total, 0, record.last_time, record.last_message};
    for (std::size_t place = 0; place < record.minutes.size(); ++place) {
      if (minute_of(now) - record.minutes[place] < kMinutes) count.last_hour += record.by_minute[place];
    }
    counts.push_back(std::move(count));
  }
  return counts;
}

}  // namespace walcat
