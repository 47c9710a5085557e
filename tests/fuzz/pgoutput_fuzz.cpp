// Reaches what the unit tests do not: decoder and serializer behind any sequence of frames, however malformed, over
// several batches and connections, with every buffer at its smallest. Whatever the bytes are, nothing may be read or
// written out of place, and what is printed must be whole lines of JSON.
//
// The input: one byte of options (see Options), then frames, each behind two bytes: the size in the low 13 bits of a
// little-endian number, then kNewBatch and kReconnect in the high ones. A frame that is cut takes what there is.
//
// One promise is the server's and not ours, so it is no finding: text is UTF-8.

#include <simdjson.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz_target.h"
#include "json_check.h"
#include "pgoutput_input.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/batch.h"
#include "walcat/serializer/serializer.h"

namespace walcat::test {
namespace {

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

void check_line(std::string_view line, Envelope envelope, Operation operation) {
  if (line.empty() || line.back() != '\n') finding("a line without its end", line);
  if (line.find('\n') != line.size() - 1) finding("a line in two", line);
  const auto* parsed = parsed_json(line, false);
  if (parsed == nullptr || !parsed->is_object()) finding("no JSON object", line);
  const bool is_border = operation == Operation::kBegin || operation == Operation::kCommit;
  if (envelope != Envelope::kMessage || is_border) return;
  simdjson::dom::object message;
  if ((*parsed)["message"].get(message) != simdjson::SUCCESS) finding("no message", line);
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
      const std::string_view line = batch.lines.view().substr(begin, end - begin);
      if (!line.empty()) check_line(line, options.envelope, change.operation);
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
