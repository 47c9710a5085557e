#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "line_writer.h"
#include "walcat/model/relation.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// How one column's text becomes JSON under `values: debezium`: decided once per relation, used per cell.
///
/// What does not parse as its type, and a value for which its JSON has no place, becomes a JSON string of its text, so
/// that a line is JSON whatever the server sends; but for infinities and NaN it is counted (LineWriter::text_instead).
/// Threads: stage-bound (serializer); write() uses the plan's own scratch memory.
/// Ownership: borrows nothing; column and options may go.
/// Source: the reference page of Debezium's PostgreSQL connector, data type mappings.
class ValuePlan {
 public:
  ValuePlan(const Column& column, const SerializerOptions& options);
  ~ValuePlan();
  ValuePlan(ValuePlan&&) noexcept;
  ValuePlan& operator=(ValuePlan&&) noexcept;

  /// Appends the JSON of a value that is not null. `text` is PostgreSQL's text form, padded: up to ByteBuffer::kSlack
  /// bytes behind it may be read.
  void write(LineWriter& out, const char* text, std::size_t size) const;

  /// Appends what stands for an unchanged TOAST value that was not sent: the placeholder in the type's own form.
  void write_unavailable(LineWriter& out) const;

  /// The Kafka Connect schema of the field as Debezium's JSON converter prints it, such as
  /// `{"type":"int64","optional":true,"name":"io.debezium.time.MicroTimestamp","version":1,"field":"c"}`.
  std::string schema(std::string_view field, bool optional) const;

 private:
  struct Form;
  std::unique_ptr<const Form> form_;
};

}  // namespace walcat
