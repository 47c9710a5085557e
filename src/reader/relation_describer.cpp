#include "relation_describer.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "walcat/base/byte_reader.h"
#include "walcat/postgres/catalog.h"
#include "walcat/reader/xlog_frame.h"

namespace walcat {

Status RelationDescriber::describe(std::string_view frame, Batch& batch) {
  ByteReader reader(message_body(frame));
  const std::uint32_t relation = reader.u32();
  reader.cstring();
  reader.cstring();
  reader.u8();
  std::vector<std::uint32_t> types;
  const std::uint16_t columns = reader.u16();
  for (std::uint16_t i = 0; i < columns && !reader.failed(); ++i) {
    reader.u8();
    reader.cstring();
    types.push_back(reader.u32());
    reader.u32();
  }
  if (reader.failed()) return Status::ok();  // The decoder names the fault.
  if (catalog_ == nullptr) {
    auto opened = Connection::open(
        {.conn_str = conn_str_, .replication = false, .expects_answers = true, .stop = &stop_, .logger = logger_});
    if (!opened.is_ok()) return opened.status().with_context("second connection, for the catalog");
    catalog_ = std::move(*opened);
  }
  auto note = describe_relation(*catalog_, relation, types);
  if (!note.is_ok()) return note.status().with_context("catalog");
  batch.notes.push_back(std::move(*note));
  return Status::ok();
}

}  // namespace walcat
