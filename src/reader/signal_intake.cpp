#include "signal_intake.h"

#include <fmt/format.h>

#include "walcat/base/byte_reader.h"

namespace walcat {

void SignalIntake::begin() {
  met_ = 0;
  in_transaction_.clear();
}

// Only what a transaction says counts: its place in the log is sure. Bounds come before anything is read or kept.
void SignalIntake::meet(std::string_view message) {
  ByteReader reader(message);
  const bool is_transactional = (reader.u8() & 1) != 0;
  reader.u64();
  const std::string_view prefix = reader.cstring();
  if (!is_transactional || prefix != kSnapshotPrefix) return;
  const std::string_view content = reader.bytes(reader.u32());
  if (reader.failed()) return;  // The decoder names the fault.
  if (++met_ > kSignalsInTransactionMost) {
    return pass_over(kTooMany, fmt::format("message walcat.snapshot: expected {} in a transaction at most",
                                           kSignalsInTransactionMost));
  }
  auto signal = parse_snapshot_signal(content, slot_);
  if (!signal.is_ok()) {
    pass_over(content.size() > kSignalBytesMost ? kTooLong : kMalformed, signal.status().message());
  } else if (*signal) {
    in_transaction_.push_back(std::move(**signal));
  }
}

std::optional<std::string> SignalIntake::without_content(std::string_view frame, std::size_t header) {
  if (frame.size() <= kSignalBytesMost) return std::nullopt;
  ByteReader reader(frame.substr(header));
  reader.u8();
  reader.u64();
  const std::string_view prefix = reader.cstring();
  const std::uint32_t size = reader.u32();
  if (prefix != kSnapshotPrefix || size <= kSignalBytesMost || reader.bytes(size).size() != size) return std::nullopt;
  std::string shorter(frame.substr(0, frame.size() - size));
  shorter.replace(shorter.size() - sizeof size, sizeof size, sizeof size, '\0');
  return shorter;
}

bool SignalIntake::commit(Lsn commit_lsn, std::int64_t commit_time) {
  if (in_transaction_.empty()) return false;
  for (SnapshotSignal& signal : in_transaction_) {
    signal.commit_lsn = commit_lsn;
    signal.commit_time = commit_time;
    signals_.push_back(std::move(signal));
  }
  in_transaction_.clear();
  return true;
}

void SignalIntake::pass_over(Fault fault, const std::string& what) {
  const auto times = notices_[fault].add(1, CountedNotice::Clock::now());
  if (times == 0) return;
  const std::string others = times == 1 ? "" : fmt::format(" ({} such since this was said last)", times);
  logger_.warning("{}; passing it over{}", what, others);
}

}  // namespace walcat
