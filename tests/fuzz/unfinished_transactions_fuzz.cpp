// Reaches what the unit tests do not: any order of blocks, preparations, commits and rollbacks of transactions that are
// sent before they have committed, and any bytes in their place. What waits in files walks as what waits in memory
// does, and never without a Begin before it and a Commit behind it, but for a change whose relation is described just
// before.
//
// An input is a frame a line, by its kind and what stands behind it: `S7` and `S7 1` (a block, and a first one), `E`,
// `c7`, `A7 8`, `I8 text`, `R8 text`, `O text`, `b7`, `P7`, `p7`, `K7`, `r7`; any other line is a frame as it stands.

#include <charconv>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.h"
#include "reader/unfinished_transactions.h"
#include "text_input.h"

namespace walcat::test {
namespace {

constexpr std::size_t kHeader = 25;

std::string u32(std::uint32_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 0xFF);
  return text;
}

std::uint32_t take_number(std::string_view& text) {
  std::uint32_t number = 0;
  const auto [after, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(after - text.data()));
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  return number;
}

std::string frame_of(std::string_view line) {
  if (line.empty() || std::string_view("SEcAIRYUDTMObPpKr").find(line.front()) == std::string_view::npos) {
    return std::string(line);
  }
  const char kind = line.front();
  std::string frame = "w" + std::string(kHeader - 1, '\0') + kind;
  line.remove_prefix(1);
  if (kind == 'E' || kind == 'O') return frame.append(line);
  const std::string number = u32(take_number(line));
  const std::string positions(24, '\1');
  switch (kind) {
    case 'b': return frame + positions + number + '\0';
    case 'P':
    case 'p':
    case 'K': return frame + '\0' + positions + number + '\0';
    case 'r': return frame + '\0' + positions + "12345678" + number + '\0';
    default: frame += number;
  }
  if (kind == 'S') return frame + static_cast<char>(take_number(line));
  if (kind == 'A') return frame + u32(take_number(line));
  if (kind == 'c') return frame + std::string(25, '\1');
  return frame.append(line);
}

// All that is handed out, and where it ends.
std::vector<std::string> walk(UnfinishedTransactions& streamed) {
  std::vector<std::string> frames;
  for (;;) {
    const auto frame = streamed.next();
    if (!frame.is_ok()) finding("a spool can't be read", frame.status().message());
    if (!*frame) break;
    frames.emplace_back(**frame);
  }
  if (streamed.is_walking()) finding("it walks for ever");
  const auto is_of = [](const std::string& frame, std::string_view kinds) {
    return kinds.find(frame[kHeader]) != std::string_view::npos;
  };
  const bool is_whole = frames.size() > 1 && is_of(frames.front(), "B") && is_of(frames.back(), "C");
  const bool is_described = frames.size() > 1 && is_of(frames.front(), "RY") && is_of(frames.back(), "IUDT");
  if (!is_whole && !is_described) finding("no whole transaction");
  return frames;
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  SpoolOptions options;
  options.directory = std::filesystem::temp_directory_path();
  UnfinishedTransactions in_memory(options, log::Logger("memory"));
  options.memory = 100;
  UnfinishedTransactions in_files(options, log::Logger("files"));
  UnfinishedTransactions::Session session;
  session.two_phase = true;
  in_memory.begin_session(session);
  in_files.begin_session(session);
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  while (!rest.empty()) {
    const std::string frame = frame_of(take_line(rest));
    const auto one = in_memory.take(frame);
    const auto other = in_files.take(frame);
    if (one.is_ok() != other.is_ok() || one.status().message() != other.status().message()) finding("they disagree");
    if (!one.is_ok()) return 0;
    if (*one != *other) finding("one takes what the other does not", frame);
    if (in_memory.is_walking() != in_files.is_walking()) finding("one walks, the other does not");
    if (in_memory.border(Lsn{}) != in_files.border(Lsn{})) finding("their borders differ");
    if (in_memory.is_walking() && walk(in_memory) != walk(in_files)) finding("they hand out other frames");
  }
  return 0;
}
