#include "walcat/capture/summary.h"

#include <utility>

#include "frame_view.h"
#include "walcat/model/batch.h"

namespace walcat {

namespace {

// Of the stream that came first there are few.
StreamSummary& summary_of(CaptureSummary& summary, const std::shared_ptr<const StreamIdentity>& identity) {
  for (StreamSummary& stream : summary.streams) {
    if (stream.identity == identity || *stream.identity == *identity) return stream;
  }
  summary.streams.emplace_back().identity = identity;
  return summary.streams.back();
}

// Counts a message of the stream. False: pgoutput has none such.
bool count_message(StreamSummary& stream, std::string_view frame) {
  switch (message_kind(frame)) {
    case 'I': ++stream.inserts; return true;
    case 'U': ++stream.updates; return true;
    case 'D': ++stream.deletes; return true;
    case 'C':
      ++stream.transactions;
      stream.last_commit = commit_lsn(frame);
      if (!stream.first_commit) stream.first_commit = stream.last_commit;
      return true;
    case 'T': ++stream.truncates; return true;
    case 'M': ++stream.messages; return true;
    case 'B':
    case 'O':
    case kRelationMessage:
    case kTypeMessage: return true;
    default: return !frame.empty() && frame[0] == kKeepalive;
  }
}

// False: a frame makes no sense.
bool count_frames(StreamSummary& stream, const CapturedParcel& parcel) {
  stream.frames += parcel.frame_count;
  stream.bytes += parcel.frames.size() - parcel.frame_count * Batch::kFrameHeader;
  if (parcel.snapshot != nullptr) {
    stream.snapshot_rows += parcel.frame_count;
    return true;
  }
  const char* const end = parcel.frames.data() + parcel.frames.size();
  for (const char* at = parcel.frames.data(); at != end;) {
    const std::string_view frame(at + Batch::kFrameHeader, Batch::load_frame_size(at));
    if (!count_message(stream, frame)) return false;
    at += Batch::kFrameHeader + frame.size();
  }
  return true;
}

void count_times(StreamSummary& stream, const CapturedParcel& parcel) {
  if (!stream.first_received) stream.first_received = parcel.received_at;
  stream.last_received = parcel.received_at;
}

// Whether `now` is the connection `before`: while one goes on, only what it says of its snapshot may come to be known.
// Another run may number its own alike, and says so once.
bool goes_on(const CapturedSession* before, const CapturedSession& now) {
  if (before == nullptr || before == &now) return before != nullptr;
  return before->session == now.session && before->resume == now.resume && !(*before == now);
}

}  // namespace

Result<CaptureSummary> summarize(const std::string& path) {
  auto opened = CaptureReader::open(path);
  if (!opened.is_ok()) return opened.status();
  CaptureReader& reader = **opened;
  CaptureSummary summary;
  summary.path = path;
  // The session before, of each stream.
  std::vector<std::shared_ptr<const CapturedSession>> sessions;
  for (;;) {
    const auto next = reader.next_parcel();
    if (!next.is_ok()) return next.status();
    if (!*next) break;
    const CapturedParcel& parcel = **next;
    StreamSummary& stream = summary_of(summary, parcel.stream);
    sessions.resize(summary.streams.size());
    auto& session = sessions[static_cast<std::size_t>(&stream - summary.streams.data())];
    stream.sessions += goes_on(session.get(), *parcel.session) ? 0 : 1;
    session = parcel.session;
    if (parcel.is_context) continue;
    if (!count_frames(stream, parcel)) return reader.fault("a frame that is no message of pgoutput");
    count_times(stream, parcel);
  }
  summary.file = reader.facts();
  summary.dead_letters = reader.dead_letters_left_out();
  summary.torn_at = reader.torn_at();
  return summary;
}

}  // namespace walcat
