// Reaches what the unit tests do not: decoder and serializer behind any sequence of frames, however malformed, over
// several batches and connections, with every buffer at its smallest. Whatever the bytes are, nothing may be read or
// written out of place, and what is printed must be whole lines of JSON.
//
// The input: one byte of options (see Options), then frames, each behind two bytes: the size in the low 13 bits of a
// little-endian number, then kNewBatch and kReconnect in the high ones. A frame that is cut takes what there is.
//
// Two promises are the server's and not ours, so they are no finding: text is UTF-8, and a number column holds a
// number.

#include "pgoutput_fuzz.h"

#include <simdjson.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {
namespace {

[[noreturn]] void finding(const char* what, std::string_view line = {}) {
  std::fprintf(stderr, "finding: %s\n%.*s\n", what, static_cast<int>(line.size()), line.data());
  std::abort();
}

struct Options {
  explicit Options(std::uint8_t bits) {
    serializer.values = (bits & 1) != 0 ? Values::kText : Values::kNative;
    serializer.position = (bits & 2) != 0;
    if ((bits & 4) != 0) frame_bytes = 64;
    if ((bits & 8) != 0) resume = {Lsn{1000}, Lsn{2000}, 2};
    serializer.envelope = static_cast<Envelope>(bits >> 4 & 3);
    if ((bits & 64) != 0) serializer.values = Values::kDebezium;
    decoder.transactions = serializer.transactions = (bits & 128) != 0;
  }
  SerializerOptions serializer;
  DecoderOptions decoder;
  std::size_t frame_bytes = 4096;
  ResumePoint resume;
};

// Takes the frames of an input, one after the other.
class Frames {
 public:
  Frames(const std::uint8_t* bytes, std::size_t size) : rest_(reinterpret_cast<const char*>(bytes), size) {}

  bool next() {
    if (rest_.size() < 2) return false;
    const unsigned head = static_cast<unsigned char>(rest_[0]) | static_cast<unsigned char>(rest_[1]) << 8;
    rest_.remove_prefix(2);
    frame = rest_.substr(0, head & 0x1FFF);
    rest_.remove_prefix(frame.size());
    new_batch = (head & kNewBatch) != 0;
    reconnect = (head & kReconnect) != 0;
    return true;
  }

  std::string_view frame;
  bool new_batch = false;
  bool reconnect = false;

 private:
  std::string_view rest_;
};

bool is_json_number(std::string_view text) {
  simdjson::dom::parser parser;
  simdjson::dom::element parsed;
  // Numbers of any length are JSON, though not to every parser.
  return text.size() < 18 && parser.parse(std::string(text)).get(parsed) == simdjson::SUCCESS && parsed.is_number();
}

// Whether every cell that could be taken for a number is one, whatever its column's type.
bool numbers_are_numbers(const Batch& batch, const Change& change, Values values) {
  if (change.relation == nullptr || values == Values::kText) return true;
  const std::size_t tuples = change.operation == Operation::kTruncate                                        ? 0
                             : change.operation == Operation::kUpdate && change.old_tuple != OldTuple::kNone ? 2
                                                                                                             : 1;
  for (std::size_t i = 0; i < tuples * change.relation->columns.size(); ++i) {
    const Cell& cell = batch.cells.at(change.cells_begin + i);
    if (cell.size < 0) continue;
    const std::string_view text = batch.text(cell);
    const char first = text.empty() ? '\0' : text[text[0] == '-' && text.size() > 1 ? 1 : 0];
    const bool may_be_number = text.empty() || (first >= '0' && first <= '9') || text == "-";
    if (may_be_number && !is_json_number(text)) return false;
  }
  return true;
}

void check_line(std::string line, Envelope envelope, Operation operation) {
  if (line.empty() || line.back() != '\n') finding("a line without its end", line);
  if (line.find('\n') != line.size() - 1) finding("a line in two", line);
  for (char& c : line) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  simdjson::dom::parser parser;
  simdjson::dom::element parsed;
  if (parser.parse(line).get(parsed) != simdjson::SUCCESS) finding("no JSON", line);
  if (!parsed.is_object()) finding("no object", line);
  const bool is_border = operation == Operation::kBegin || operation == Operation::kCommit;
  if (envelope != Envelope::kMessage || is_border) return;
  simdjson::dom::object message;
  if (parsed["message"].get(message) != simdjson::SUCCESS) finding("no message", line);
  for (const char* key : {"before", "after", "source", "op"}) {
    if (message[key].error() != simdjson::SUCCESS) finding(key, line);
  }
}

// Serializes the batch as often as it takes, and looks at each line.
void print(Serializer& serializer, Batch& batch, const SerializerOptions& options) {
  while (batch.changes_written < batch.changes.size()) {
    serializer.serialize(batch);
    if (batch.line_ends.empty()) finding("no line, though changes are left");
    if (batch.line_ends.back() != batch.lines.size()) finding("lines without an end");
    std::size_t begin = 0;
    for (const std::size_t end : batch.line_ends) {
      if (end < begin) finding("a line that ends before it begins");
      const Change& change = batch.changes.at(batch.changes_written++);
      if (end > begin && numbers_are_numbers(batch, change, options.values)) {
        check_line(std::string(batch.lines.view().substr(begin, end - begin)), options.envelope, change.operation);
      }
      begin = end;
    }
    batch.line_ends.clear();
    batch.lines.clear(batch.line_bytes());
  }
}

void check_order(const Batch& batch) {
  Lsn position;
  std::uint32_t changes = 0;
  for (const ProgressPoint& point : batch.progress_points) {
    if (point.position <= position) finding("progress goes back");
    if (point.changes_end < changes || point.changes_end > batch.changes.size()) finding("progress past the changes");
    position = point.position;
    changes = point.changes_end;
  }
  for (const Change& change : batch.changes) {
    if (change.transaction >= batch.transactions.size()) finding("a change without a transaction");
  }
}

}  // namespace
}  // namespace walcat::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace walcat;
  using namespace walcat::test;
  if (size == 0) return 0;
  const Options options(bytes[0]);
  const auto database = std::make_shared<const std::string>("db1");
  Decoder decoder(options.decoder);
  Serializer serializer(options.serializer);
  Frames frames(bytes + 1, size - 1);
  std::uint64_t session = 1;
  bool more = frames.next();
  for (std::uint64_t sequence = 0; more; ++sequence) {
    if (frames.reconnect) ++session;
    Batch batch(options.frame_bytes);
    batch.session = session;
    batch.sequence = sequence;
    batch.database = database;
    batch.resume = options.resume;
    do {
      batch.append_frame(frames.frame);
      more = frames.next();
    } while (more && !frames.new_batch && !frames.reconnect);
    const Status decoded = decoder.decode(batch);
    if (!decoded.is_ok() && decoded.code() != StatusCode::kProtocolError) finding("another error");
    check_order(batch);
    print(serializer, batch, options.serializer);
    if (!decoded.is_ok()) break;
  }
  return 0;
}
