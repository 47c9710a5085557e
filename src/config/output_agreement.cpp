#include "output_agreement.h"

#include "field.h"

namespace walcat::config {

namespace {

bool is_debezium(Envelope envelope) { return envelope == Envelope::kDebezium || envelope == Envelope::kDebeziumSchema; }

void set_defaults(const Node& output, SerializerOptions& options) {
  const auto left_out = [&](std::string_view key) { return output.find(key) == nullptr; };
  if (is_debezium(options.envelope)) {
    if (left_out("values")) options.values = Values::kDebezium;
    if (left_out("position")) options.position = false;
    if (left_out("skip")) options.skip = {Operation::kTruncate, Operation::kMessage};
  }
  if (options.framing != Framing::kValue && left_out("key")) options.key = KeyForm::kJson;
  // Else the old key would leave no trace: a row has no `before`, and a key stands for what is there now.
  const bool hides_old_key = options.envelope == Envelope::kRow || options.key != KeyForm::kNone;
  if (hides_old_key && left_out("key_changes")) options.key_changes = KeyChanges::kSplit;
}

// Adds faults of the keys of one section.
class Agreement {
 public:
  Agreement(const Node& output, const std::string& path, Faults& faults)
      : output_(output), path_(path), faults_(faults) {}

  void expect(bool agrees, std::string_view key, const std::string& message) {
    if (!agrees) faults_.add(place_of(output_, key), below(path_, key), message);
  }

 private:
  const Node& output_;
  const std::string& path_;
  Faults& faults_;
};

}  // namespace

void complete_output(const Node& output, const std::string& path, SerializerOptions& options, Faults& faults) {
  set_defaults(output, options);
  const bool keyed = options.framing != Framing::kValue;
  const bool has_key = options.key != KeyForm::kNone;
  Agreement agreement(output, path, faults);
  agreement.expect(has_key || !keyed, "key", "found none; the framing prints a key, so it must be json or text");
  agreement.expect(keyed || !has_key, "key",
                   "the framing value prints no key; set framing to key-value or topic-key-value, or key to none");
  agreement.expect(keyed || !options.tombstones, "tombstones",
                   "a tombstone is a key without a value; set framing to key-value or topic-key-value");
  const bool apart = options.key_separator.find(options.record_separator) == std::string::npos;
  agreement.expect(apart, "key_separator",
                   "holds a line feed, which ends records; take it out or set record_separator to nul");
}

}  // namespace walcat::config
