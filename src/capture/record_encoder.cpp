#include "record_encoder.h"

#include <utility>

#include "description.h"
#include "frame_view.h"
#include "record_bytes.h"
#include "record_flags.h"
#include "walcat/model/batch.h"

namespace walcat {

namespace {

void put_session(std::string& bytes, std::uint32_t stream, const CapturedSession& session) {
  const std::size_t record = begin_record(bytes, kSessionRecord);
  put_u32(bytes, stream);
  put_i64(bytes, session.run);
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
  state_session(bytes, stream, parcel);
  const std::uint32_t source = parcel.snapshot == nullptr ? 0 : number_of(bytes, parcel.snapshot);
  put_parcel(bytes, stream.number, source, parcel);
  if (keeps_context_ && parcel.snapshot == nullptr) keep_context(stream, parcel);
}

void RecordEncoder::begin_file() {
  for (auto& [label, stream] : streams_) stream.is_stated = stream.is_session_stated = false;
  latest_ = nullptr;
  numbers_ = 0;
  sources_ = {};
}

RecordEncoder::Stream& RecordEncoder::stream_of(std::string& bytes,
                                                const std::shared_ptr<const StreamIdentity>& identity) {
  if (latest_ != nullptr && latest_->identity == identity) return *latest_;
  Stream& stream = streams_[identity->label];
  latest_ = &stream;
  const bool is_same = stream.identity != nullptr && *stream.identity == *identity;
  if (!is_same) stream = Stream();
  stream.identity = identity;
  if (stream.is_stated) return stream;
  stream.is_stated = true;
  stream.number = ++numbers_;
  const std::size_t record = begin_record(bytes, kStreamRecord);
  put_u32(bytes, stream.number);
  put_stream(bytes, *identity);
  end_record(bytes, record);
  return stream;
}

void RecordEncoder::state_session(std::string& bytes, Stream& stream, const CapturedParcel& parcel) {
  if (stream.session == parcel.session && stream.is_session_stated) return;
  const bool is_new_file = !stream.is_session_stated;
  const bool is_same = stream.session != nullptr && *stream.session == *parcel.session;
  if (!is_same) {
    // Relations are not carried from one connection to the next.
    if (stream.session == nullptr || stream.session->session != parcel.session->session) {
      stream.types.clear();
      stream.relations.clear();
    }
    stream.is_session_stated = false;
  }
  stream.session = parcel.session;
  if (stream.is_session_stated) return;
  put_session(bytes, stream.number, *parcel.session);
  stream.is_session_stated = true;
  if (is_new_file && !stream.relations.empty()) put_context(bytes, stream, parcel);
}

void RecordEncoder::put_context(std::string& bytes, const Stream& stream, const CapturedParcel& parcel) {
  std::string frames;
  CapturedParcel context;
  for (const auto& [oid, frame] : stream.types) put_text(frames, frame);
  for (const auto& [oid, relation] : stream.relations) {
    put_text(frames, relation.frame);
    if (relation.note != nullptr) context.notes.push_back(relation.note);
  }
  context.received_at = parcel.received_at;
  context.is_context = true;
  context.frames = frames;
  put_parcel(bytes, stream.number, 0, context);
}

void RecordEncoder::keep_context(Stream& stream, const CapturedParcel& parcel) {
  std::size_t notes = 0;
  std::string_view frames = parcel.frames;
  while (frames.size() >= Batch::kFrameHeader) {
    const std::string_view frame = frames.substr(Batch::kFrameHeader, Batch::load_frame_size(frames.data()));
    frames.remove_prefix(Batch::kFrameHeader + frame.size());
    const char kind = message_kind(frame);
    if (kind != kTypeMessage && kind != kRelationMessage) continue;
    const std::uint32_t oid = message_oid(frame);
    if (kind == kTypeMessage) {
      stream.types[oid] = frame;
      continue;
    }
    // As the decoder takes them: in order, and not every relation has one.
    const bool is_noted = notes < parcel.notes.size() && parcel.notes[notes]->relation_oid == oid;
    stream.relations[oid] = {std::string(frame), is_noted ? parcel.notes[notes++] : nullptr};
  }
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
