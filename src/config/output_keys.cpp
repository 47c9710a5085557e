#include "output_keys.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "output_agreement.h"

namespace walcat::config {

namespace {

using Debezium = DebeziumOptions;

constexpr std::array<std::string_view, 5> kPlaceholders{"connector", "database", "schema", "table", "op"};

constexpr std::uint64_t kLargestRotation = std::uint64_t{1} << 50;

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20; }

// What is wrong with a topic template; empty if nothing.
std::string topic_fault(const std::string& topic) {
  if (std::any_of(topic.begin(), topic.end(), is_control)) return "a topic holds no control characters";
  for (auto open = topic.find('{'); open != std::string::npos; open = topic.find('{', open + 1)) {
    const auto close = topic.find('}', open);
    const bool closed = close != std::string::npos;
    const auto name = std::string_view(topic).substr(open + 1, closed ? close - open - 1 : 0);
    if (closed && std::find(kPlaceholders.begin(), kPlaceholders.end(), name) != kPlaceholders.end()) continue;
    return fmt::format("{} {}; known are {{{}}}", closed ? "unknown placeholder" : "no } after the {",
                       shown(closed ? topic.substr(open, close - open + 1) : topic.substr(open)),
                       fmt::join(kPlaceholders, "}, {"));
  }
  return {};
}

// JSON text, topics and text keys hold no control character as such, so one of them tells a separator from all those.
std::string separator_fault(const std::string& separator) {
  if (separator.find('\0') != std::string::npos) return "holds a NUL; take another control character, such as \"\\t\"";
  if (std::any_of(separator.begin(), separator.end(), is_control)) return {};
  return fmt::format(
      "{} may also stand in a key or a topic; expected a control character in it, \"\\x01\" to \"\\x1F\", such as "
      "\"\\t\"",
      shown(separator));
}

#define WALCAT_SERIALIZER(path) WALCAT_MEMBER(configuration.pipeline.serializer.path)

std::vector<Field<Draft>> debezium_keys() {
  using Time = Debezium::TimePrecision;
  using Decimal = Debezium::DecimalHandling;
  using Interval = Debezium::IntervalHandling;
  using Hstore = Debezium::HstoreHandling;
  using Binary = Debezium::BinaryHandling;
  return {
      value<Draft>("time_precision_mode",
                   choice<Time>({{"adaptive", Time::kAdaptive},
                                 {"adaptive_time_microseconds", Time::kAdaptiveTimeMicroseconds},
                                 {"connect", Time::kConnect},
                                 {"isostring", Time::kIsoString},
                                 {"microseconds", Time::kMicroseconds},
                                 {"nanoseconds", Time::kNanoseconds}}),
                   WALCAT_SERIALIZER(debezium.time_precision_mode)),
      value<Draft>(
          "decimal_handling_mode",
          choice<Decimal>({{"precise", Decimal::kPrecise}, {"double", Decimal::kDouble}, {"string", Decimal::kString}}),
          WALCAT_SERIALIZER(debezium.decimal_handling_mode)),
      value<Draft>("interval_handling_mode",
                   choice<Interval>({{"numeric", Interval::kNumeric}, {"string", Interval::kString}}),
                   WALCAT_SERIALIZER(debezium.interval_handling_mode)),
      value<Draft>("hstore_handling_mode", choice<Hstore>({{"json", Hstore::kJson}, {"map", Hstore::kMap}}),
                   WALCAT_SERIALIZER(debezium.hstore_handling_mode)),
      value<Draft>("binary_handling_mode",
                   choice<Binary>({{"bytes", Binary::kBytes},
                                   {"base64", Binary::kBase64},
                                   {"base64-url-safe", Binary::kBase64UrlSafe},
                                   {"hex", Binary::kHex}}),
                   WALCAT_SERIALIZER(debezium.binary_handling_mode)),
      value<Draft>("money_fraction_digits", count<int>(0, 18), WALCAT_SERIALIZER(debezium.money_fraction_digits)),
      value<Draft>("unavailable_value_placeholder", text(1, 1024),
                   WALCAT_SERIALIZER(debezium.unavailable_value_placeholder)),
  };
}

// Which lines there are, and what is in them.
std::vector<Field<Draft>> line_keys() {
  return {
      value<Draft>("envelope",
                   choice<Envelope>({{"message", Envelope::kMessage},
                                     {"debezium", Envelope::kDebezium},
                                     {"debezium-schema", Envelope::kDebeziumSchema},
                                     {"row", Envelope::kRow}}),
                   WALCAT_SERIALIZER(envelope)),
      value<Draft>(
          "values",
          choice<Values>({{"native", Values::kNative}, {"text", Values::kText}, {"debezium", Values::kDebezium}}),
          WALCAT_SERIALIZER(values)),
      value<Draft>("position", boolean(), WALCAT_SERIALIZER(position)),
      section<Draft>("debezium", debezium_keys()),
      list<Draft>("skip",
                  choice<Operation>({{"c", Operation::kInsert},
                                     {"u", Operation::kUpdate},
                                     {"d", Operation::kDelete},
                                     {"t", Operation::kTruncate},
                                     {"m", Operation::kMessage},
                                     {"r", Operation::kRead}}),
                  "a list of c, u, d, t, m and r, or [] for none", EmptyList::kTaken, WALCAT_SERIALIZER(skip)),
      value<Draft>("transactions", boolean(), WALCAT_SERIALIZER(transactions)),
      value<Draft>("tombstones", boolean(), WALCAT_SERIALIZER(tombstones)),
      value<Draft>("key_changes", choice<KeyChanges>({{"update", KeyChanges::kUpdate}, {"split", KeyChanges::kSplit}}),
                   WALCAT_SERIALIZER(key_changes)),
  };
}

// What a record is made of.
std::vector<Field<Draft>> framing_keys() {
  return {
      value<Draft>("key",
                   choice<KeyForm>({{"none", KeyForm::kNone}, {"json", KeyForm::kJson}, {"text", KeyForm::kText}}),
                   WALCAT_SERIALIZER(key)),
      value<Draft>("framing",
                   choice<Framing>({{"value", Framing::kValue},
                                    {"key-value", Framing::kKeyValue},
                                    {"topic-key-value", Framing::kTopicKeyValue}}),
                   WALCAT_SERIALIZER(framing)),
      value<Draft>("key_separator", checked<std::string>(text(1, 16), separator_fault),
                   WALCAT_SERIALIZER(key_separator)),
      value<Draft>("record_separator", choice<char>({{"lf", '\n'}, {"nul", '\0'}}),
                   WALCAT_SERIALIZER(record_separator)),
      value<Draft>("topic", checked<std::string>(text(1, 1024), topic_fault), WALCAT_SERIALIZER(topic)),
      value<Draft>("invalid_utf8",
                   choice<InvalidUtf8>({{"replace", InvalidUtf8::kReplace}, {"refuse", InvalidUtf8::kRefuse}}),
                   WALCAT_SERIALIZER(invalid_utf8)),
  };
}

std::vector<Field<Draft>> capture_keys() {
  return {
      value<Draft>("path", optional_path(), WALCAT_MEMBER(capture.path)),
      value<Draft>("compression", choice<bool>({{"none", false}, {"zstd", true}}), WALCAT_MEMBER(capture.compress)),
      value<Draft>("rotate_at", bytes(kSmallestRotation, kLargestRotation, "never"),
                   WALCAT_MEMBER(capture.rotate_bytes)),
  };
}

std::vector<Field<Draft>> output_keys() {
  std::vector<Field<Draft>> keys = {value<Draft>("path", output_path(), WALCAT_MEMBER(configuration.writer.path)),
                                    section<Draft>("capture", capture_keys())};
  for (auto& key : line_keys()) keys.push_back(std::move(key));
  for (auto& key : framing_keys()) keys.push_back(std::move(key));
  return keys;
}

bool has_broken(const Node& map) {
  return std::any_of(map.members.begin(), map.members.end(),
                     [](const Member& member) { return member.value.kind == Node::Kind::kBroken; });
}

}  // namespace

Field<Draft> output_section() {
  auto field = section<Draft>("output", output_keys());
  field.read = [read = field.read](const Node& node, const std::string& path, Draft& into, Faults& faults) {
    const std::size_t known = faults.size();
    read(node, path, into, faults);
    // Values that could not be read would only seem to disagree.
    if (faults.size() > known || has_broken(node)) return;
    complete_output(node, path, into.configuration.pipeline.serializer, faults);
  };
  return field;
}

}  // namespace walcat::config
