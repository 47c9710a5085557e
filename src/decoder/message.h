#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "walcat/base/byte_reader.h"
#include "walcat/base/lsn.h"
#include "walcat/decoder/decoder.h"

namespace walcat {

/// One pgoutput message inside its XLogData frame, read field by field, with the first fault it met.
class Decoder::Message {
 public:
  Message(std::string_view frame, Lsn lsn, std::int64_t send_time, ByteReader& reader)
      : frame_(frame), lsn_(lsn), send_time_(send_time), reader_(reader) {}

  std::string_view frame() const { return frame_; }

  ByteReader& reader() { return reader_; }
  Lsn lsn() const { return lsn_; }
  std::int64_t send_time() const { return send_time_; }

  /// Names the relation in a later fault.
  void about(const Relation& relation) { relation_ = &relation; }

  /// Whether every byte was read, none was missing and all made sense.
  bool is_whole() const { return !faulty() && !reader_.failed() && reader_.remaining() == 0; }
  bool faulty() const { return !fault_.empty(); }
  [[gnu::cold, gnu::noinline]] void fault(std::string what) { fault_at(reader_.cursor(), std::move(what)); }
  /// A fault of the bytes at `where` in the frame.
  [[gnu::cold, gnu::noinline]] void fault_at(const char* where, std::string what) {
    if (faulty()) return;
    fault_ = std::move(what);
    fault_offset_ = static_cast<std::size_t>(where - frame_.data());
  }
  /// A fault of the stream and not of the message: it may not stand here.
  [[gnu::cold, gnu::noinline]] void fault_of_place(std::string what) {
    is_out_of_place_ = true;
    fault(std::move(what));
  }
  bool is_out_of_place() const { return is_out_of_place_; }

  /// kProtocolError if a field was missing, made no sense, or bytes are left over.
  Status finish(char kind) {
    if (!faulty() && reader_.failed()) fault("ends in the middle of a field");
    if (!faulty() && reader_.remaining() > 0) fault(fmt::format("{} bytes are left over", reader_.remaining()));
    if (!faulty()) return Status::ok();
    const std::string about =
        relation_ == nullptr ? std::string()
                             : fmt::format(", relation {}.{} ({})", relation_->schema, relation_->name, relation_->oid);
    return {StatusCode::kProtocolError, fmt::format("message '{}' at LSN {}{}, byte {} of {}: {}", kind,
                                                    lsn_.to_string(), about, fault_offset_, frame_.size(), fault_)};
  }

 private:
  std::string_view frame_;
  Lsn lsn_;
  std::int64_t send_time_;
  ByteReader& reader_;
  const Relation* relation_ = nullptr;
  std::string fault_;
  std::size_t fault_offset_ = 0;
  bool is_out_of_place_ = false;
};

}  // namespace walcat
