// Reaches what the unit tests do not: any stream that a server could send (see StreamLog), cut into batches and
// connections in different ways. The lines must be the same: borders of batches do not show, and what a server sends
// again after a lost connection is printed once.
//
// The input is text. The first line is options, a digit each (see Options); the rest is the log.

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz_target.h"
#include "json_check.h"
#include "stream_log.h"
#include "text_input.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {
namespace {

using Frames = std::vector<std::string>;

struct Options {
  explicit Options(std::string_view digits) {
    Choices choices(digits);
    serializer.envelope = choices.next_of<Envelope>(4);
    serializer.values = choices.next_of<Values>(3);
    decoder.transactions = serializer.transactions = choices.next(2) == 1;
    serializer.framing = choices.next_of<Framing>(3);
    if (serializer.framing != Framing::kValue) {
      serializer.key = choices.next(2) == 0 ? KeyForm::kJson : KeyForm::kText;
      serializer.tombstones = choices.next(2) == 1;
    }
    decoder.split_key_changes = choices.next(2) == 1;
    if (decoder.split_key_changes) serializer.key_changes = KeyChanges::kSplit;
    if (choices.next(2) == 1) serializer.skip = {Operation::kTruncate, Operation::kMessage};
    for (const Operation operation : serializer.skip) decoder.skipped |= 1U << static_cast<unsigned>(operation);
    is_utf8 = choices.next(2) == 0;
    static const auto kSelection = selection();
    if (choices.next(2) == 1) decoder.selection = kSelection;
  }

  static std::shared_ptr<const Selection> selection() {
    SelectionOptions options;
    options.exclude_tables = {"public\\.b"};
    options.mask_columns = {{"public\\.a\\.n", "***"}};
    options.truncate_columns = {{".*\\.v", 3}};
    options.skip_unchanged = true;
    auto compiled = Selection::compile(options);
    if (!compiled.is_ok()) finding("a selection that is none", compiled.status().message());
    return *compiled;
  }

  SerializerOptions serializer;
  DecoderOptions decoder;
  /// Whether the server vouches for UTF-8. What is none is replaced in any case.
  bool is_utf8 = true;
};

// Debezium's envelopes tell when a line was printed; the log's own times are all the year 2000's first moment.
std::string without_now(std::string_view record) {
  static constexpr std::string_view kKeys[] = {"\"ts_ms\":", "\"ts_us\":", "\"ts_ns\":"};
  std::string out;
  while (!record.empty()) {
    std::size_t key_end = 0;
    for (const std::string_view key : kKeys) key_end = record.starts_with(key) ? key.size() : key_end;
    out += record.substr(0, std::max<std::size_t>(key_end, 1));
    record.remove_prefix(std::max<std::size_t>(key_end, 1));
    if (key_end == 0 || record.starts_with("946684800")) continue;
    out += '0';
    record.remove_prefix(std::min(record.size(), record.find_first_not_of("0123456789")));
  }
  return out;
}

// Decoder and serializer, and all that they print.
class Street {
 public:
  explicit Street(const Options& options)
      : is_utf8_(options.is_utf8), decoder_(options.decoder), serializer_(options.serializer) {}

  /// A connection's frames, `frames_most` in a batch.
  void connection(const Frames& frames, std::size_t frames_most) {
    ++session_;
    for (std::size_t i = 0; i < frames.size(); i += frames_most) {
      batch_.clear();
      batch_.session = session_;
      batch_.sequence = sequence_++;
      batch_.database = database_;
      batch_.is_utf8 = is_utf8_;
      for (std::size_t j = i; j < std::min(frames.size(), i + frames_most); ++j) batch_.append_frame(frames[j]);
      const Status decoded = decoder_.decode(batch_);
      if (!decoded.is_ok()) finding("a good stream is refused", decoded.message());
      note_progress(batch_);
      print(batch_);
    }
  }

  std::vector<std::string> records;
  Lsn position;

 private:
  void note_progress(const Batch& batch) {
    for (const ProgressPoint& point : batch.progress_points) {
      if (point.position <= position) finding("progress goes back");
      position = point.position;
    }
  }

  void print(Batch& batch) {
    while (batch.changes_written < batch.changes.size()) {
      serializer_.serialize(batch);
      std::size_t begin = 0;
      for (const std::size_t end : batch.line_ends) {
        records.push_back(without_now(batch.lines.view().substr(begin, end - begin)));
        begin = end;
      }
      batch.changes_written += static_cast<std::uint32_t>(batch.line_ends.size());
      batch.line_ends.clear();
      batch.lines.clear(batch.line_bytes());
    }
  }

  bool is_utf8_;
  // One that walks again and again, and is outgrown by long frames.
  Batch batch_{512};
  Decoder decoder_;
  Serializer serializer_;
  std::uint64_t session_ = 0;
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> database_ = std::make_shared<const std::string>("db1");
};

// The values of a change's records; a tombstone has none.
void check_record(std::string_view record, const Options& options) {
  while (!record.empty()) {
    std::string_view line = take_line(record);
    if (options.serializer.framing != Framing::kValue) line.remove_prefix(std::min(line.size(), line.rfind('\t') + 1));
    if (line.empty() && options.serializer.tombstones) continue;
    const auto* json = parsed_json(line);
    if (json == nullptr || !json->is_object()) finding("no JSON object", line);
  }
}

void expect_same(const Street& street, const Street& other, const char* what) {
  const auto [one, two] =
      std::mismatch(street.records.begin(), street.records.end(), other.records.begin(), other.records.end());
  if (one != street.records.end()) finding(what, *one + (two == other.records.end() ? "is missing" : *two));
  if (two != other.records.end()) finding(what, *two);
  if (street.position != other.position) finding("another position at the end");
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat::test;
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  const Options options(take_line(rest));
  const StreamLog log(rest);
  Street whole(options);
  whole.connection(log.whole(), log.whole().size() + 1);
  for (const std::string& record : whole.records) check_record(record, options);
  Street frame_by_frame(options);
  frame_by_frame.connection(log.whole(), 1);
  expect_same(whole, frame_by_frame, "borders of batches show");
  Street cut(options);
  for (const Frames& frames : log.connections()) cut.connection(frames, 3);
  expect_same(whole, cut, "lost connections show");
  return 0;
}
