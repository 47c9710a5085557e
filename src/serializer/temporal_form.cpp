#include "temporal_form.h"

#include "builtin_types.h"
#include "temporal_values.h"

namespace walcat {

namespace {

using TimePrecision = DebeziumOptions::TimePrecision;
using IntervalHandling = DebeziumOptions::IntervalHandling;

constexpr int kDigitsMost = 6;
constexpr int kMillisDigits = 3;

/// How a type is printed, and the schema that says so.
struct Choice {
  TemporalForm form;
  std::string_view type;
  std::string_view schema;
};

Choice date_choice(TimePrecision mode) {
  switch (mode) {
    case TimePrecision::kIsoString: return {TemporalForm::kIso, "string", "io.debezium.time.IsoDate"};
    case TimePrecision::kConnect: return {TemporalForm::kMicros, "int32", "org.apache.kafka.connect.data.Date"};
    default: return {TemporalForm::kMicros, "int32", "io.debezium.time.Date"};
  }
}

Choice time_choice(TimePrecision mode, int digits) {
  static constexpr Choice kMicroTime{TemporalForm::kMicros, "int64", "io.debezium.time.MicroTime"};
  switch (mode) {
    case TimePrecision::kAdaptive:
      if (digits > kMillisDigits) return kMicroTime;
      return {TemporalForm::kMillis, "int32", "io.debezium.time.Time"};
    case TimePrecision::kAdaptiveTimeMicroseconds:
    case TimePrecision::kMicroseconds: return kMicroTime;
    case TimePrecision::kNanoseconds: return {TemporalForm::kNanos, "int64", "io.debezium.time.NanoTime"};
    case TimePrecision::kConnect: return {TemporalForm::kMillis, "int32", "org.apache.kafka.connect.data.Time"};
    case TimePrecision::kIsoString: break;
  }
  return {TemporalForm::kIso, "string", "io.debezium.time.IsoTime"};
}

Choice timestamp_choice(TimePrecision mode, int digits) {
  static constexpr Choice kMicroTimestamp{TemporalForm::kMicros, "int64", "io.debezium.time.MicroTimestamp"};
  switch (mode) {
    case TimePrecision::kAdaptive:
    case TimePrecision::kAdaptiveTimeMicroseconds:
      if (digits > kMillisDigits) return kMicroTimestamp;
      return {TemporalForm::kMillis, "int64", "io.debezium.time.Timestamp"};
    case TimePrecision::kMicroseconds: return kMicroTimestamp;
    case TimePrecision::kNanoseconds: return {TemporalForm::kNanos, "int64", "io.debezium.time.NanoTimestamp"};
    case TimePrecision::kConnect: return {TemporalForm::kMillis, "int64", "org.apache.kafka.connect.data.Timestamp"};
    case TimePrecision::kIsoString: break;
  }
  return {TemporalForm::kIso, "string", "io.debezium.time.IsoTimestamp"};
}

using WriteTemporal = bool (*)(LineWriter&, std::string_view, TemporalForm);

DebeziumForm chosen_form(WriteTemporal write, const Choice& choice, const DebeziumOptions& options) {
  const auto write_form = [write, form = choice.form](LineWriter& out, std::string_view text) {
    return write(out, text, form);
  };
  return scalar_form(write_form, named_schema(choice.type, choice.schema), options);
}

DebeziumForm timestamp_with_zone_form(int digits, const DebeziumOptions& options) {
  const auto write = [digits](LineWriter& out, std::string_view text) {
    return write_timestamp_with_zone(out, text, digits);
  };
  return scalar_form(write, named_schema("string", "io.debezium.time.ZonedTimestamp"), options);
}

DebeziumForm interval_form(const DebeziumOptions& options) {
  if (options.interval_handling_mode == IntervalHandling::kString) {
    return scalar_form(write_interval_iso, named_schema("string", "io.debezium.time.Interval"), options);
  }
  return scalar_form(write_interval_micros, named_schema("int64", "io.debezium.time.MicroDuration"), options);
}

}  // namespace

std::optional<DebeziumForm> temporal_form(std::uint32_t oid, std::int32_t modifier, const DebeziumOptions& options) {
  const TimePrecision mode = options.time_precision_mode;
  const int digits = modifier < 0 || modifier > kDigitsMost ? kDigitsMost : modifier;
  switch (oid) {
    case type_oid::kDate: return chosen_form(write_date, date_choice(mode), options);
    case type_oid::kTime: return chosen_form(write_time, time_choice(mode, digits), options);
    case type_oid::kTimestamp: return chosen_form(write_timestamp, timestamp_choice(mode, digits), options);
    case type_oid::kTimestampTz: return timestamp_with_zone_form(digits, options);
    case type_oid::kTimeTz:
      return scalar_form(write_time_with_zone, named_schema("string", "io.debezium.time.ZonedTime"), options);
    case type_oid::kInterval: return interval_form(options);
    default: return std::nullopt;
  }
}

}  // namespace walcat
