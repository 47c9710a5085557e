#pragma once

#include <string>
#include <vector>

#include "walcat/model/change.h"

namespace walcat {

/// Which object a line is (`output.envelope`).
enum class Envelope {
  kMessage,         ///< `{"message":{"before":..,"after":..,"source":{..},"op":..}}`
  kDebezium,        ///< Debezium's value without schema.
  kDebeziumSchema,  ///< The same as `{"schema":..,"payload":..}`.
  kRow,             ///< The row flat, with `__op`, `__table` and the like.
};

/// How a column's value is written (`output.values`).
enum class Values {
  kNative,    ///< Numbers and booleans as JSON's own, the rest as strings.
  kText,      ///< PostgreSQL's text form as a string, whatever the type.
  kDebezium,  ///< Debezium's type mapping.
};

/// Modes of Debezium's type mapping, under Debezium's own names (`output.debezium`).
struct DebeziumOptions {
  enum class TimePrecision { kAdaptive, kAdaptiveTimeMicroseconds, kConnect, kIsoString, kMicroseconds, kNanoseconds };
  enum class DecimalHandling { kPrecise, kDouble, kString };
  enum class IntervalHandling { kNumeric, kString };
  enum class HstoreHandling { kJson, kMap };
  enum class BinaryHandling { kBytes, kBase64, kBase64UrlSafe, kHex };

  TimePrecision time_precision_mode = TimePrecision::kAdaptive;
  DecimalHandling decimal_handling_mode = DecimalHandling::kString;
  IntervalHandling interval_handling_mode = IntervalHandling::kNumeric;
  HstoreHandling hstore_handling_mode = HstoreHandling::kJson;
  BinaryHandling binary_handling_mode = BinaryHandling::kBytes;
  /// Fraction digits of money values, 0 to 18.
  int money_fraction_digits = 2;
  /// Printed for an unchanged TOAST value that the server did not send, in every mode of `values`.
  std::string unavailable_value_placeholder = "__debezium_unavailable_value";

  bool operator==(const DebeziumOptions&) const = default;
};

/// The key beside a value (`output.key`).
enum class KeyForm {
  kNone,
  kJson,  ///< A JSON object of the key columns, in the key's order; null for tables without a key.
  kText,  ///< The key columns' text, as a JSON string where it could be taken for something else.
};

/// What a record is made of (`output.framing`).
enum class Framing { kValue, kKeyValue, kTopicKeyValue };

/// How an update that changes the primary key is printed (`output.key_changes`). The configuration's default is kSplit
/// where nothing else in the record shows the old key: in kRow, and in framings with keys.
enum class KeyChanges {
  kUpdate,  ///< As one u.
  kSplit,   ///< As d of the old key and c of the new, as Debezium does.
};

/// What is done with bytes that are no UTF-8, which SQL_ASCII databases can hold, and those whose encoding was changed
/// in the catalog (`output.invalid_utf8`).
enum class InvalidUtf8 {
  kReplace,  ///< By U+FFFD.
  kRefuse,   ///< The database is stopped with an error that names the change.
};

/// How changes become lines (`connector_name`, `output`). Defaults here are those of the `message` envelope; the
/// configuration fills in the other envelopes'.
struct SerializerOptions {
  /// Printed as source.connector and, with the schema, as source.name.
  std::string connector_name = "walcat";
  Envelope envelope = Envelope::kMessage;
  Values values = Values::kNative;
  DebeziumOptions debezium;
  /// Whether `commit_lsn` and `index` end the source block; costs about 40 bytes a line.
  bool position = true;
  /// Operations that are not printed.
  std::vector<Operation> skip;
  /// BEGIN and END lines around each transaction, and the transaction block of the debezium envelopes.
  bool transactions = false;
  /// After each delete a record with the same key and no value.
  bool tombstones = false;
  KeyChanges key_changes = KeyChanges::kUpdate;
  KeyForm key = KeyForm::kNone;
  Framing framing = Framing::kValue;
  /// Between topic, key and value.
  std::string key_separator = "\t";
  /// Ends a record: a line feed, or a NUL.
  char record_separator = '\n';
  /// May hold {connector}, {database}, {schema}, {table} and {op}.
  std::string topic = "{connector}.{schema}.{table}";
  InvalidUtf8 invalid_utf8 = InvalidUtf8::kReplace;
};

/// The topics of what belongs to no table.
std::string message_topic(const SerializerOptions& options);
std::string transaction_topic(const SerializerOptions& options);

}  // namespace walcat
