#pragma once

#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "walcat/base/byte_reader.h"
#include "walcat/base/lsn.h"
#include "walcat/decoder/decoder.h"

namespace walcat {

/// One pgoutput message inside its XLogData frame, read field by field, with the first fault it met.
class Decoder::Message {
 public:
  /// `header`: bytes of the frame before the message's own.
  Message(std::string_view frame, std::size_t header, Lsn lsn, std::int64_t send_time)
      : frame_(frame), lsn_(lsn), send_time_(send_time), reader_(frame.substr(header)) {}

  std::string_view frame() const { return frame_; }

  ByteReader& reader() { return reader_; }
  Lsn lsn() const { return lsn_; }
  std::int64_t send_time() const { return send_time_; }

  /// Names the relation in a later fault.
  void about(const Relation& relation) { relation_ = &relation; }

  /// Whether every byte was read, none was missing and all made sense.
  bool is_whole() const { return !faulty() && !reader_.failed() && reader_.remaining() == 0; }
  bool faulty() const { return fault_ != nullptr; }
  [[gnu::cold, gnu::noinline]] void fault(std::string what) { fault_at(reader_.cursor(), std::move(what)); }
  /// A fault of the bytes at `where` in the frame.
  [[gnu::cold, gnu::noinline]] void fault_at(const char* where, std::string what) {
    if (faulty()) return;
    fault_ = std::make_unique<Fault>(Fault{std::move(what), static_cast<std::size_t>(where - frame_.data())});
  }
  /// A fault of the stream and not of the message: it may not stand here.
  [[gnu::cold, gnu::noinline]] void fault_of_place(std::string what) {
    is_out_of_place_ = true;
    fault(std::move(what));
  }
  bool is_out_of_place() const { return is_out_of_place_; }

  /// kProtocolError, of a message that is not whole: a field was missing, made no sense, or bytes are left over.
  [[gnu::cold, gnu::noinline]] Status finish(char kind) {
    if (!faulty() && reader_.failed()) fault("ends in the middle of a field");
    if (!faulty()) fault(fmt::format("{} bytes are left over", reader_.remaining()));
    const std::string about =
        relation_ == nullptr ? std::string()
                             : fmt::format(", relation {}.{} ({})", relation_->schema, relation_->name, relation_->oid);
    return {StatusCode::kProtocolError,
            fmt::format("message '{}' at LSN {}{}, byte {} of {}: {}", kind, lsn_.to_string(), about, fault_->offset,
                        frame_.size(), fault_->what)};
  }

 private:
  struct Fault {
    std::string what;
    std::size_t offset;
  };

  std::string_view frame_;
  Lsn lsn_;
  std::int64_t send_time_;
  ByteReader reader_;
  const Relation* relation_ = nullptr;
  // Nearly no message has one, so that none should pay for it.
  std::unique_ptr<Fault> fault_;
  bool is_out_of_place_ = false;
};

}  // namespace walcat
