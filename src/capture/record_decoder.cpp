#include "record_decoder.h"

#include <utility>

#include "description.h"
#include "record_flags.h"
#include "walcat/model/batch.h"

namespace walcat {

namespace {

bool read_mark(ByteReader& record, SnapshotMark& mark) {
  const std::uint8_t value = record.u8();
  mark = static_cast<SnapshotMark>(value);
  return value <= static_cast<std::uint8_t>(SnapshotMark::kIncremental);
}

// Whether the frames are whole, and how many.
bool count_frames(std::string_view frames, std::size_t& count) {
  count = 0;
  const char* at = frames.data();
  const char* const end = at + frames.size();
  while (static_cast<std::size_t>(end - at) >= Batch::kFrameHeader) {
    const std::size_t size = Batch::load_frame_size(at);
    at += Batch::kFrameHeader;
    if (size > static_cast<std::size_t>(end - at)) return false;
    at += size;
    ++count;
  }
  return at == end;
}

}  // namespace

RecordDecoder::Found RecordDecoder::read() {
  record_at_ = records_.offset();
  const std::uint32_t size = records_.u32();
  ByteReader record(records_.bytes(size));
  if (records_.failed()) return damaged("a record reaches beyond its block");
  if (size == 0) return damaged("an empty record");
  switch (static_cast<char>(record.u8())) {
    case kParcelRecord: return read_parcel(record);
    case kFrameRecord: return read_frame(record);
    case kStreamRecord: return read_stream_record(record);
    case kSessionRecord: return read_session(record);
    case kSourceRecord: return read_source(record);
    default: return damaged("a record of an unknown kind");
  }
}

RecordDecoder::Found RecordDecoder::damaged(const char* what) {
  damage_ = what;
  return Found::kDamage;
}

RecordDecoder::Stream* RecordDecoder::find_stream(std::uint32_t number) {
  const auto found = streams_.find(number);
  return found == streams_.end() ? nullptr : &found->second;
}

RecordDecoder::Found RecordDecoder::read_stream_record(ByteReader record) {
  Stream& stream = streams_[record.u32()];
  auto identity = read_stream(record);
  if (identity == nullptr || record.remaining() > 0) return damaged("a stream is not described as it should be");
  // The same object for the same stream, where another run goes on.
  if (stream.identity == nullptr || *stream.identity != *identity) stream.identity = std::move(identity);
  stream.session = nullptr;
  return Found::kOther;
}

RecordDecoder::Found RecordDecoder::read_session(ByteReader record) {
  Stream* stream = find_stream(record.u32());
  auto session = std::make_shared<CapturedSession>();
  session->run = record.i64();
  session->session = record.u64();
  session->beginning = record.u64();
  session->resume.position = Lsn{record.u64()};
  session->resume.open_commit_lsn = Lsn{record.u64()};
  session->resume.open_changes = record.u64();
  session->snapshot_point = Lsn{record.u64()};
  session->is_utf8 = (record.u8() & kSessionIsUtf8) != 0;
  if (record.failed() || record.remaining() > 0) return damaged("a session is not described as it should be");
  if (stream == nullptr) return damaged("a session of a stream that was never described");
  stream->session = std::move(session);
  return Found::kOther;
}

RecordDecoder::Found RecordDecoder::read_source(ByteReader record) {
  const std::uint32_t number = record.u32();
  auto source = read_snapshot_source(record);
  if (source == nullptr || record.remaining() > 0) {
    return damaged("what rows are of is not described as it should be");
  }
  sources_[number] = std::move(source);
  return Found::kOther;
}

RecordDecoder::Found RecordDecoder::read_parcel(ByteReader record) {
  const Stream* stream = find_stream(record.u32());
  parcel_.received_at = record.i64();
  const std::uint8_t flags = record.u8();
  const std::uint32_t notes = record.u32();
  if (record.failed()) return damaged("a parcel ends before it begins");
  if (stream == nullptr || stream->session == nullptr) return damaged("a parcel of a session that was never described");
  parcel_.stream = stream->identity;
  parcel_.session = stream->session;
  parcel_.is_context = (flags & kParcelIsContext) != 0;
  parcel_.notes.clear();
  for (std::uint32_t i = 0; i < notes; ++i) {
    parcel_.notes.push_back(read_note(record));
    if (parcel_.notes.back() == nullptr) return damaged("a note of a parcel is not as it should be");
  }
  parcel_.snapshot = nullptr;
  parcel_.first_mark = parcel_.last_mark = SnapshotMark::kInside;
  parcel_.chunk = 0;
  parcel_.chunk_commit_lsn = Lsn{};
  parcel_.chunk_commit_time = 0;
  if ((flags & kParcelHasRows) != 0 && !read_rows(record)) return damaged("a parcel of unknown rows");
  parcel_.frames = record.bytes(record.remaining());
  if (!count_frames(parcel_.frames, parcel_.frame_count)) return damaged("a frame reaches beyond its parcel");
  return Found::kParcel;
}

bool RecordDecoder::read_rows(ByteReader& record) {
  const auto source = sources_.find(record.u32());
  const bool is_marked = read_mark(record, parcel_.first_mark) && read_mark(record, parcel_.last_mark);
  parcel_.chunk = record.u64();
  parcel_.chunk_commit_lsn = Lsn{record.u64()};
  parcel_.chunk_commit_time = record.i64();
  if (record.failed() || !is_marked || source == sources_.end()) return false;
  parcel_.snapshot = source->second;
  return true;
}

RecordDecoder::Found RecordDecoder::read_frame(ByteReader record) {
  const Stream* stream = find_stream(record.u32());
  const std::uint8_t role = record.u8();
  frame_.taken_at = record.i64();
  frame_.index = record.u64();
  frame_.bytes = record.bytes(record.remaining());
  if (record.failed()) return damaged("a frame ends before it begins");
  if (stream == nullptr || stream->identity == nullptr) return damaged("a frame of a stream that was never described");
  if (role > static_cast<std::uint8_t>(FrameRole::kDeadLetter)) return damaged("a frame of an unknown role");
  frame_.role = static_cast<FrameRole>(role);
  frame_.stream = stream->identity;
  return Found::kFrame;
}

}  // namespace walcat
