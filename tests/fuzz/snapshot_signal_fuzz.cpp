// Reaches what the unit tests do not: any bytes as the content of a logical message that asks for an incremental
// snapshot; everybody may write such. What is understood says the same when it is written as a message again.

#include <string>
#include <string_view>

#include "fuzz_target.h"
#include "walcat/reader/snapshot_signal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  const std::string slot = "slot1";
  const std::string_view content(reinterpret_cast<const char*>(bytes), size);
  const auto signal = parse_snapshot_signal(content, slot);
  if (!signal.is_ok()) {
    if (signal.status().code() != StatusCode::kRefused) finding("another error", signal.status().message());
    return 0;
  }
  if (!signal->has_value()) return 0;
  const SnapshotSignal& said = **signal;
  const std::string message = to_message(said, slot);
  if (message.size() > kSignalBytesMost) return 0;  // Escapes may make it longer than what was read.
  const auto again = parse_snapshot_signal(message, slot);
  if (!again.is_ok()) finding("its own message is refused", again.status().message() + "\n" + message);
  if (!again->has_value()) finding("its own message is for another slot", message);
  if ((*again)->kind != said.kind || (*again)->mark != said.mark || !((*again)->snapshot == said.snapshot)) {
    finding("its own message says something else", message);
  }
  if (to_message(said, "slot2").empty() || parse_snapshot_signal(to_message(said, "slot2"), slot)->has_value()) {
    finding("a message for another slot", message);
  }
  return 0;
}
