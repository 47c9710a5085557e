// Frames that can't be decoded, where the stream makes sense without them: they go to the dead letters and it goes on.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "message.h"
#include "relation_cache.h"
#include "walcat/base/postgres_time.h"
#include "walcat/decoder/decoder.h"

namespace walcat {

namespace {

// The header of XLogData and the kind of message; then the OID that a Relation begins with.
constexpr std::size_t kBeforeBody = 26;
constexpr std::size_t kRelationOidEnd = kBeforeBody + 4;

ByteReader body_of(std::string_view frame) { return ByteReader(frame.substr(std::min(frame.size(), kBeforeBody))); }

// The relations that a change names.
std::vector<std::uint32_t> relations_of(char kind, std::string_view frame) {
  std::vector<std::uint32_t> oids;
  ByteReader body = body_of(frame);
  if (kind == 'M' || kind == 'R') return oids;
  if (kind == 'T') {
    body.u32();
    body.u8();
  }
  do {
    const std::uint32_t oid = body.u32();
    if (!body.failed()) oids.push_back(oid);
  } while (kind == 'T' && body.remaining() > 0);
  return oids;
}

// Indices that the message would have taken: a truncate takes one a table.
std::uint64_t changes_of(char kind, std::string_view frame) {
  if (kind == 'R') return 0;
  if (kind != 'T') return 1;
  const std::uint32_t tables = body_of(frame).u32();
  return tables <= frame.size() ? std::max<std::uint32_t>(tables, 1) : 1;
}

}  // namespace

// What stands by itself: a change, or what describes a relation, whose changes are then as unreadable. Of borders of
// transactions, of origins and types more depends than could be told.
bool Decoder::can_do_without(char kind, const Message& message) const {
  if (options_.dead_letters == nullptr || message.is_out_of_place()) return false;
  if (kind == 'R') return message.frame().size() >= kRelationOidEnd;
  return kind == 'M' || (in_transaction_ && (kind == 'I' || kind == 'U' || kind == 'D' || kind == 'T'));
}

// What went down the street, or to the dead letters, before a reconnect is counted and no more.
void Decoder::set_aside(char kind, const Message& message, const Status& fault) {
  bool is_new = next_index_ >= done_below_;
  if (!in_transaction_) {
    is_new = kind == 'R' || message.lsn() > std::max(last_message_lsn_, position_);
    last_message_lsn_ = std::max(last_message_lsn_, message.lsn());
  }
  if (is_new) put_dead_letter(kind, message.frame(), fault);
  if (in_transaction_) next_index_ += changes_of(kind, message.frame());
  if (kind == 'R') forget_relation(message.frame());
}

// What is known of the relation is out of date.
void Decoder::forget_relation(std::string_view frame) {
  const std::uint32_t oid = body_of(frame).u32();
  relations_->forget(oid);
  const auto& notes = batch_->notes;
  if (notes_taken_ < notes.size() && notes[notes_taken_]->relation_oid == oid) ++notes_taken_;
}

// The file reads as a stream of its own: what describes the relation, Begin, the letters of a transaction, Commit.
void Decoder::put_dead_letter(char kind, std::string_view frame, const Status& fault) {
  if (++dead_letters_.count == 1) {
    dead_letters_.first = fault;
    sound_changes_ = batch_->changes.size();
    sound_points_ = batch_->progress_points;
  }
  for (const std::uint32_t oid : relations_of(kind, frame)) {
    relations_->take_descriptions(
        oid, [&](std::string_view description) { put_captured(description, FrameRole::kContext); });
  }
  if (in_transaction_ && !has_dead_letters_) {
    put_captured(begin_frame_, FrameRole::kContext);
    if (!origin_frame_.empty()) put_captured(origin_frame_, FrameRole::kContext);
    has_dead_letters_ = true;
  }
  put_captured(frame, FrameRole::kDeadLetter, in_transaction_ ? next_index_ : 0);
}

void Decoder::put_captured(std::string_view frame, FrameRole role, std::uint64_t index) {
  static const auto kUnknown = std::make_shared<const StreamIdentity>();
  options_.dead_letters->put(
      {batch_->stream == nullptr ? kUnknown : batch_->stream, role, postgres_now_micros(), index, frame});
  must_sync_ = true;
}

// Before the batch leaves, and with it the positions behind its dead letters. If they can't be kept, it ends before
// the first one.
Status Decoder::sync_dead_letters() {
  if (!std::exchange(must_sync_, false)) return Status::ok();
  const Status synced = options_.dead_letters->sync();
  if (synced.is_ok()) return synced;
  if (dead_letters_.count == 0) {
    // The letters of this Commit are on the disk; it is missing for the next to be readable.
    return {StatusCode::kProtocolError, fmt::format("dead letters: {}", synced.message())};
  }
  batch_->changes.resize(sound_changes_);
  batch_->progress_points = sound_points_;
  const DeadLetterTally lost = std::exchange(dead_letters_, {});
  return {StatusCode::kProtocolError,
          fmt::format("{}; it can't be kept as a dead letter: {}", lost.first.message(), synced.message())};
}

}  // namespace walcat
