#include "value_plan.h"

#include "debezium_form.h"
#include "walcat/model/byte_buffer.h"

namespace walcat {

struct ValuePlan::Form {
  explicit Form(DebeziumForm decided)
      : writer(std::move(decided.writer)), schema(std::move(decided.schema)), unavailable(decided.unavailable.size()) {
    unavailable.append(decided.unavailable);
  }

  std::unique_ptr<const CellWriter> writer;
  ConnectSchema schema;
  ByteBuffer unavailable;
};

ValuePlan::ValuePlan(const Column& column, const SerializerOptions& options)
    : form_(std::make_unique<const Form>(debezium_form(column_type(column), options.debezium))) {}

ValuePlan::~ValuePlan() = default;
ValuePlan::ValuePlan(ValuePlan&&) noexcept = default;
ValuePlan& ValuePlan::operator=(ValuePlan&&) noexcept = default;

void ValuePlan::write(LineWriter& out, const char* text, std::size_t size) const {
  if (!form_->writer->write(out, {text, size})) out.text_instead({text, size});
}

void ValuePlan::write_unavailable(LineWriter& out) const { out.raw(form_->unavailable.view()); }

std::string ValuePlan::schema(std::string_view field, bool optional) const {
  return form_->schema.json(optional, field);
}

}  // namespace walcat
