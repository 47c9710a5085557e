#include "walcat/serializer/serializer.h"

#include "line_writer.h"
#include "message_envelope.h"

namespace walcat {

Serializer::Serializer(const SerializerOptions& options) : envelope_(std::make_unique<MessageEnvelope>(options)) {}

Serializer::~Serializer() = default;

void Serializer::serialize(Batch& batch) {
  LineWriter out(batch.lines);
  envelope_->start(batch);
  const std::size_t enough = batch.line_bytes();
  for (std::size_t i = batch.changes_written; i < batch.changes.size() && out.size() < enough; ++i) {
    envelope_->write(out, batch, batch.changes[i]);
    batch.line_ends.push_back(static_cast<std::uint32_t>(out.size()));
  }
  out.close();
}

}  // namespace walcat
