#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "configuration_fixture.h"

namespace walcat::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// `keys` are those of `output` in flow style; they begin at 5:10.
std::string with(const std::string& keys) { return kOneDatabase + "output: {" + keys + "}\n"; }

SerializerOptions output(const std::string& keys) { return parsed(with(keys)).pipeline.serializer; }

// The fault of `keys` without the file's name.
std::string fault(const std::string& keys) {
  const std::string message = faults(with(keys));
  return message.substr(message.find(':') + 1);
}

TEST(OutputKeys, LeftOutAreThoseOfTheMessageEnvelope) {
  const SerializerOptions options = output("");
  EXPECT_EQ(options.envelope, Envelope::kMessage);
  EXPECT_EQ(options.values, Values::kNative);
  EXPECT_EQ(options.debezium, DebeziumOptions{});
  EXPECT_TRUE(options.position);
  EXPECT_THAT(options.skip, IsEmpty());
  EXPECT_FALSE(options.transactions);
  EXPECT_FALSE(options.tombstones);
  EXPECT_EQ(options.key_changes, KeyChanges::kUpdate);
  EXPECT_EQ(options.key, KeyForm::kNone);
  EXPECT_EQ(options.framing, Framing::kValue);
  EXPECT_EQ(options.key_separator, "\t");
  EXPECT_EQ(options.record_separator, '\n');
  EXPECT_EQ(options.topic, "{connector}.{schema}.{table}");
  EXPECT_EQ(options.invalid_utf8, InvalidUtf8::kReplace);
}

TEST(OutputKeys, LeftOutFollowTheEnvelope) {
  for (const std::string envelope : {"debezium", "debezium-schema"}) {
    const SerializerOptions options = output("envelope: " + envelope);
    EXPECT_EQ(options.values, Values::kDebezium) << envelope;
    EXPECT_FALSE(options.position) << envelope;
    EXPECT_THAT(options.skip, ElementsAre(Operation::kTruncate, Operation::kMessage)) << envelope;
  }
  const SerializerOptions row = output("envelope: row");
  EXPECT_EQ(row.envelope, Envelope::kRow);
  EXPECT_EQ(row.values, Values::kNative);
  EXPECT_TRUE(row.position);
  EXPECT_THAT(row.skip, IsEmpty());
}

TEST(OutputKeys, SplitChangesOfTheKeyWhereNothingElseShowsTheOldOne) {
  for (const std::string keys :
       {"envelope: row", "framing: key-value", "framing: topic-key-value, envelope: debezium"}) {
    EXPECT_EQ(output(keys).key_changes, KeyChanges::kSplit) << keys;
    EXPECT_EQ(output(keys + ", key_changes: update").key_changes, KeyChanges::kUpdate) << keys;
  }
  EXPECT_EQ(output("envelope: debezium").key_changes, KeyChanges::kUpdate);
}

TEST(OutputKeys, WrittenDownWinOverTheEnvelope) {
  const SerializerOptions options = output("skip: [], position: true, values: text, envelope: debezium-schema");
  EXPECT_EQ(options.envelope, Envelope::kDebeziumSchema);
  EXPECT_EQ(options.values, Values::kText);
  EXPECT_TRUE(options.position);
  EXPECT_THAT(options.skip, IsEmpty());
  EXPECT_EQ(output("values: debezium").values, Values::kDebezium);
}

TEST(OutputKeys, FollowAnEnvelopeSetByAnOverride) {
  const auto configuration = parsed(kOneDatabase, {"output.envelope=debezium"});
  EXPECT_EQ(configuration.pipeline.serializer.values, Values::kDebezium);
}

TEST(OutputKeys, GiveDebeziumsModesUnderTheirNames) {
  const auto debezium = [](const std::string& keys) { return output("debezium: {" + keys + "}").debezium; };
  using Debezium = DebeziumOptions;
  using Time = Debezium::TimePrecision;
  const std::vector<std::pair<std::string, Time>> times = {
      {"adaptive", Time::kAdaptive},         {"adaptive_time_microseconds", Time::kAdaptiveTimeMicroseconds},
      {"connect", Time::kConnect},           {"isostring", Time::kIsoString},
      {"microseconds", Time::kMicroseconds}, {"nanoseconds", Time::kNanoseconds},
  };
  for (const auto& [name, mode] : times) EXPECT_EQ(debezium("time_precision_mode: " + name).time_precision_mode, mode);
  const auto decimal = [&](const std::string& mode) {
    return debezium("decimal_handling_mode: " + mode).decimal_handling_mode;
  };
  EXPECT_EQ(decimal("precise"), Debezium::DecimalHandling::kPrecise);
  EXPECT_EQ(decimal("double"), Debezium::DecimalHandling::kDouble);
  EXPECT_EQ(decimal("string"), Debezium::DecimalHandling::kString);
  EXPECT_EQ(debezium("interval_handling_mode: string").interval_handling_mode, Debezium::IntervalHandling::kString);
  EXPECT_EQ(debezium("interval_handling_mode: numeric").interval_handling_mode, Debezium::IntervalHandling::kNumeric);
  EXPECT_EQ(debezium("hstore_handling_mode: map").hstore_handling_mode, Debezium::HstoreHandling::kMap);
  EXPECT_EQ(debezium("hstore_handling_mode: json").hstore_handling_mode, Debezium::HstoreHandling::kJson);
  const auto binary = [&](const std::string& mode) {
    return debezium("binary_handling_mode: " + mode).binary_handling_mode;
  };
  EXPECT_EQ(binary("bytes"), Debezium::BinaryHandling::kBytes);
  EXPECT_EQ(binary("base64"), Debezium::BinaryHandling::kBase64);
  EXPECT_EQ(binary("base64-url-safe"), Debezium::BinaryHandling::kBase64UrlSafe);
  EXPECT_EQ(binary("hex"), Debezium::BinaryHandling::kHex);
  EXPECT_EQ(debezium("money_fraction_digits: 18").money_fraction_digits, 18);
  EXPECT_EQ(debezium("unavailable_value_placeholder: gone").unavailable_value_placeholder, "gone");
}

TEST(OutputKeys, RefuseOtherModes) {
  EXPECT_EQ(fault("debezium: {time_precision_mode: fast}"),
            "5:42: output.debezium.time_precision_mode: found \"fast\"; expected adaptive, adaptive_time_microseconds, "
            "connect, isostring, microseconds or nanoseconds");
  EXPECT_THAT(fault("debezium: {money_fraction_digits: 19}"), HasSubstr("expected an integer from 0 to 18"));
  EXPECT_THAT(fault("debezium: {unavailable_value_placeholder: ''}"), HasSubstr("expected text of 1 to 1024 bytes"));
  EXPECT_THAT(fault("debezium: {decimal-handling-mod: string}"), HasSubstr("did you mean decimal_handling_mode?"));
  EXPECT_THAT(fault("envelope: dbz"), HasSubstr("expected message, debezium, debezium-schema or row"));
}

TEST(OutputKeys, GiveTheOperationsToSkip) {
  EXPECT_THAT(output("skip: [m, c, u, d, t]").skip,
              ElementsAre(Operation::kMessage, Operation::kInsert, Operation::kUpdate, Operation::kDelete,
                          Operation::kTruncate));
  EXPECT_THAT(output("skip: []").skip, IsEmpty());
  EXPECT_THAT(output("skip: [r]").skip, ElementsAre(Operation::kRead));
  EXPECT_EQ(fault("skip: [c, x]"), "5:20: output.skip[1]: found \"x\"; expected c, u, d, t, m or r");
  EXPECT_EQ(fault("skip: [c, t, c]"), "5:23: output.skip[2]: c is already there at 5:17");
  EXPECT_EQ(fault("skip: c"), "5:16: output.skip: found \"c\"; expected a list of c, u, d, t, m and r, or [] for none");
}

TEST(OutputKeys, GiveKeysAndFraming) {
  const SerializerOptions options = output(
      "framing: topic-key-value, key: text, key_separator: \"\\x1F\", record_separator: nul, "
      "topic: '{database}-{op}', tombstones: true, key_changes: split, transactions: true, invalid_utf8: refuse");
  EXPECT_EQ(options.framing, Framing::kTopicKeyValue);
  EXPECT_EQ(options.key, KeyForm::kText);
  EXPECT_EQ(options.key_separator, "\x1F");
  EXPECT_EQ(options.record_separator, '\0');
  EXPECT_EQ(options.topic, "{database}-{op}");
  EXPECT_TRUE(options.tombstones);
  EXPECT_EQ(options.key_changes, KeyChanges::kSplit);
  EXPECT_TRUE(options.transactions);
  EXPECT_EQ(options.invalid_utf8, InvalidUtf8::kRefuse);
}

TEST(OutputKeys, TakeAJsonKeyWhereTheFramingHasOne) {
  EXPECT_EQ(output("framing: key-value").key, KeyForm::kJson);
  EXPECT_EQ(output("framing: topic-key-value").key, KeyForm::kJson);
  EXPECT_EQ(output("framing: key-value, key: text").key, KeyForm::kText);
  EXPECT_EQ(output("framing: value").key, KeyForm::kNone);
  EXPECT_EQ(output("framing: value, key: none").key, KeyForm::kNone);
}

TEST(OutputKeys, MustAgreeOnTheKey) {
  EXPECT_EQ(fault("framing: key-value, key: none"),
            "5:35: output.key: found none; the framing prints a key, so it must be json or text");
  EXPECT_EQ(fault("key: json"),
            "5:15: output.key: the framing value prints no key; set framing to key-value or topic-key-value, or key to "
            "none");
  EXPECT_EQ(fault("tombstones: true"),
            "5:22: output.tombstones: a tombstone is a key without a value; set framing to key-value or "
            "topic-key-value");
  EXPECT_EQ(fault("tombstones: false, framing: value, key: none"), "");
  EXPECT_EQ(fault("tombstones: true, framing: key-value"), "");
}

TEST(OutputKeys, DoNotSeemToDisagreeWhenOneIsUnreadable) {
  EXPECT_EQ(fault("key: json, framing: kv"),
            "5:30: output.framing: found \"kv\"; expected value, key-value or topic-key-value");
  EXPECT_EQ(fault("key: json, framing: '${WALCAT_TEST_NOT_SET}'"),
            "5:30: output.framing: environment variable WALCAT_TEST_NOT_SET is not set; set it or write "
            "${WALCAT_TEST_NOT_SET:-default}");
}

TEST(OutputKeys, AskForASeparatorThatNothingElseHolds) {
  for (const std::string good : {"\\t", "\\x01", "\\x1F", "\\r", ", \\t", "\\t\\t"}) {
    EXPECT_EQ(fault("framing: key-value, key_separator: \"" + good + "\""), "") << good;
  }
  const std::string wrong =
      " may also stand in a key or a topic; expected a control character in it, \"\\x01\" to \"\\x1F\", such as "
      "\"\\t\"";
  EXPECT_EQ(fault("key_separator: '|'"), "5:25: output.key_separator: \"|\"" + wrong);
  EXPECT_EQ(fault("key_separator: ': '"), "5:25: output.key_separator: \": \"" + wrong);
  EXPECT_EQ(fault("key_separator: '\\t'"), "5:25: output.key_separator: \"\\t\"" + wrong)
      << "in single quotes, a backslash and a t";
  EXPECT_EQ(fault("key_separator: \"\\x7F\""), "5:25: output.key_separator: \"\\u007f\"" + wrong)
      << "JSON may hold DEL as such";
  EXPECT_THAT(fault("key_separator: \"\\t\\0\""), HasSubstr("output.key_separator: holds a NUL"));
  EXPECT_THAT(fault("key_separator: ''"), HasSubstr("expected text of 1 to 16 bytes"));
  EXPECT_THAT(fault("key_separator: \"\\t1234567890123456\""), HasSubstr("expected text of 1 to 16 bytes"));
}

TEST(OutputKeys, KeepLineFeedsOutOfTheSeparatorWhereTheyEndRecords) {
  EXPECT_EQ(fault("key_separator: \"\\t\\n\""),
            "5:25: output.key_separator: holds a line feed, which ends records; take it out or set record_separator to "
            "nul");
  EXPECT_EQ(fault("key_separator: \"\\n\", record_separator: nul"), "");
}

TEST(OutputKeys, KnowThePlaceholdersOfATopic) {
  const std::string known = "; known are {connector}, {database}, {schema}, {table}, {op}";
  EXPECT_EQ(fault("topic: 'cdc'"), "");
  EXPECT_EQ(fault("topic: 'a}{connector}{database}{schema}{table}{op}'"), "");
  EXPECT_EQ(fault("topic: '{schema}.{tabel}'"), "5:17: output.topic: unknown placeholder \"{tabel}\"" + known);
  EXPECT_EQ(fault("topic: 'x{}'"), "5:17: output.topic: unknown placeholder \"{}\"" + known);
  EXPECT_EQ(fault("topic: '{{table}}'"), "5:17: output.topic: unknown placeholder \"{{table}\"" + known);
  EXPECT_EQ(fault("topic: '{schema'"), "5:17: output.topic: no } after the { \"{schema\"" + known);
  EXPECT_EQ(fault("topic: \"a\\tb\""), "5:17: output.topic: a topic holds no control characters");
  EXPECT_THAT(fault("topic: ''"), HasSubstr("expected text of 1 to 1024 bytes"));
}

TEST(OutputKeys, ArePrintedAsTheyAreRead) {
  for (const std::string keys :
       {"", "envelope: debezium", "envelope: debezium, skip: [], position: true, values: text",
        "envelope: row, transactions: true, invalid_utf8: refuse", "framing: key-value", "framing: value, key: none",
        "framing: topic-key-value, key: text, tombstones: true, key_changes: split, key_separator: \"\\x01\\n\", "
        "record_separator: nul, topic: 'a\"b{op}$$x'",
        "debezium: {time_precision_mode: isostring, decimal_handling_mode: precise, interval_handling_mode: string, "
        "hstore_handling_mode: map, binary_handling_mode: base64-url-safe, money_fraction_digits: 0, "
        "unavailable_value_placeholder: \"\\x01'\"}"}) {
    const auto configuration = parsed(with(keys));
    const std::string printed = print_configuration(configuration);
    const SerializerOptions& before = configuration.pipeline.serializer;
    const SerializerOptions after = parsed(printed).pipeline.serializer;
    EXPECT_EQ(print_configuration(parsed(printed)), printed);
    EXPECT_EQ(after.debezium, before.debezium) << keys;
    EXPECT_EQ(after.skip, before.skip) << keys;
    EXPECT_EQ(after.key_separator, before.key_separator) << keys;
    EXPECT_EQ(after.topic, before.topic) << keys;
    EXPECT_EQ(after.key, before.key) << keys;
    EXPECT_EQ(after.values, before.values) << keys;
    EXPECT_EQ(after.position, before.position) << keys;
  }
}

}  // namespace
}  // namespace walcat::test
