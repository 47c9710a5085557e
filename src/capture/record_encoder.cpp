#include "record_encoder.h"

#include <utility>

#include "description.h"
#include "record_bytes.h"
#include "record_flags.h"

namespace walcat {

namespace {

void put_session(std::string& bytes, std::uint32_t stream, const CapturedSession& session) {
  const std::size_t record = begin_record(bytes, kSessionRecord);
  put_u32(bytes, stream);
  put_u64(bytes, session.session);
  put_u64(bytes, session.beginning);
  put_u64(bytes, session.resume.position.value);
  put_u64(bytes, session.resume.open_commit_lsn.value);
  put_u64(bytes, session.resume.open_changes);
  put_u64(bytes, session.snapshot_point.value);
  put_u8(bytes, session.is_utf8 ? kSessionIsUtf8 : 0);
  end_record(bytes, record);
}

void put_parcel(std::string& bytes, std::uint32_t stream, std::uint32_t source, const CapturedParcel& parcel) {
  const std::size_t record = begin_record(bytes, kParcelRecord);
  const bool has_rows = parcel.snapshot != nullptr;
  put_u32(bytes, stream);
  put_i64(bytes, parcel.received_at);
  put_u8(bytes,
         static_cast<std::uint8_t>((parcel.is_context ? kParcelIsContext : 0) | (has_rows ? kParcelHasRows : 0)));
  put_u32(bytes, parcel.notes.size());
  for (const auto& note : parcel.notes) put_note(bytes, *note);
  if (has_rows) {
    put_u32(bytes, source);
    put_u8(bytes, static_cast<std::uint8_t>(parcel.first_mark));
    put_u8(bytes, static_cast<std::uint8_t>(parcel.last_mark));
    put_u64(bytes, parcel.chunk);
    put_u64(bytes, parcel.chunk_commit_lsn.value);
    put_i64(bytes, parcel.chunk_commit_time);
  }
  bytes += parcel.frames;
  end_record(bytes, record);
}

}  // namespace

void RecordEncoder::put(std::string& bytes, const CapturedFrame& frame) {
  const std::uint32_t stream = stream_of(bytes, frame.stream).number;
  const std::size_t record = begin_record(bytes, kFrameRecord);
  put_u32(bytes, stream);
  put_u8(bytes, static_cast<std::uint8_t>(frame.role));
  put_i64(bytes, frame.taken_at);
  put_u64(bytes, frame.index);
  bytes += frame.bytes;
  end_record(bytes, record);
}

void RecordEncoder::put(std::string& bytes, const CapturedParcel& parcel) {
  Stream& stream = stream_of(bytes, parcel.stream);
  if (stream.session != parcel.session) {
    if (stream.session == nullptr || *stream.session != *parcel.session) {
      put_session(bytes, stream.number, *parcel.session);
    }
    stream.session = parcel.session;
  }
  const std::uint32_t source = parcel.snapshot == nullptr ? 0 : number_of(bytes, parcel.snapshot);
  put_parcel(bytes, stream.number, source, parcel);
}

RecordEncoder::Stream& RecordEncoder::stream_of(std::string& bytes,
                                                const std::shared_ptr<const StreamIdentity>& identity) {
  if (latest_ != nullptr && latest_->identity == identity) return *latest_;
  Stream& stream = streams_[identity->label];
  latest_ = &stream;
  const bool is_known = stream.identity != nullptr && (stream.identity == identity || *stream.identity == *identity);
  stream.identity = identity;
  if (is_known) return stream;
  stream.number = ++numbers_;
  stream.session = nullptr;
  const std::size_t record = begin_record(bytes, kStreamRecord);
  put_u32(bytes, stream.number);
  put_stream(bytes, *identity);
  end_record(bytes, record);
  return stream;
}

std::uint32_t RecordEncoder::number_of(std::string& bytes, const std::shared_ptr<const SnapshotSource>& source) {
  for (std::size_t i = 0; i < kSources; ++i) {
    if (sources_[i] == source) return static_cast<std::uint32_t>(i);
  }
  const auto number = static_cast<std::uint32_t>(next_source_);
  sources_[next_source_] = source;
  next_source_ = (next_source_ + 1) % kSources;
  const std::size_t record = begin_record(bytes, kSourceRecord);
  put_u32(bytes, number);
  put_snapshot_source(bytes, *source);
  end_record(bytes, record);
  return number;
}

}  // namespace walcat
