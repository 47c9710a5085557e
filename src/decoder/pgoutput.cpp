#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "message.h"
#include "relation_cache.h"
#include "text_check.h"
#include "transaction_count.h"
#include "walcat/base/utf8.h"
#include "walcat/decoder/decoder.h"
#include "walcat/model/heartbeat.h"

namespace walcat {

namespace {

// Of an XLogData frame, without and with the kind of the message in it.
constexpr std::size_t kHeader = 25;
constexpr std::size_t kHeaderAndKind = kHeader + 1;
constexpr std::size_t kKeepalive = 18;
// Of a column with a value: its kind and its size.
constexpr std::size_t kTextHeader = 5;
// What a session's descriptions may take: half a million types, a hundred thousand tables of sixty columns.
constexpr std::size_t kTypeBytesMost = std::size_t{64} << 20;
constexpr std::size_t kRelationBytesMost = std::size_t{2} << 30;

constexpr const char* kTupleCut = "tuple ends in the middle of a column";
// The ordinal of what stands before a transaction's first change.
constexpr std::uint64_t kBeforeFirst = std::numeric_limits<std::uint64_t>::max();
constexpr std::uint64_t kWholeTransaction = std::numeric_limits<std::uint64_t>::max();

// A big-endian number, of bytes that are there.
template <typename T>
T load(const char* at) {
  T value = 0;
  std::memcpy(&value, at, sizeof value);
  return sizeof value == sizeof(std::uint64_t) ? static_cast<T>(__builtin_bswap64(value)) : __builtin_bswap32(value);
}

std::uint32_t joined_sizes(const Cell* cells, std::size_t count) {
  std::uint32_t sizes = 0;
  for (std::size_t i = 0; i < count; ++i) sizes |= static_cast<std::uint32_t>(std::max(cells[i].size, 0));
  return sizes;
}

Status malformed_frame(std::string_view frame, std::string_view what) {
  return {StatusCode::kProtocolError, fmt::format("CopyData frame of {} bytes: {}", frame.size(), what)};
}

}  // namespace

Decoder::Decoder(const DecoderOptions& options)
    : options_(options), relations_(std::make_unique<RelationCache>()), count_(std::make_unique<TransactionCount>()) {
  if (options_.dead_letters != nullptr) relations_->keep_frames();
}

Decoder::~Decoder() = default;

Status Decoder::decode(Batch& batch) {
  auto window = options_.window == nullptr ? std::unique_lock<std::mutex>() : options_.window->enter();
  window_ = window.owns_lock() ? options_.window.get() : nullptr;
  batch_ = &batch;
  dead_letters_ = {};
  batch_has_invalid_text_ = false;
  if (batch.chunk != 0) {
    const Status decoded = decode_chunk(batch);
    if (window_ != nullptr) window.unlock();
    const Status passed = pass_chunk(batch);
    return decoded.is_ok() ? passed : decoded;
  }
  if (batch.snapshot != nullptr || batch.ends_snapshot || !batch.chunks_done.empty()) return decode_rows(batch);
  return decode_stream(batch);
}

Status Decoder::decode_stream(Batch& batch) {
  if (batch.session != session_) start_session(batch);
  transaction_in_batch_ = false;
  notes_taken_ = 0;
  Status status;
  batch.for_each_frame([&](std::string_view frame) { return decode_frame(frame, status); });
  const Status kept = sync_dead_letters();
  const Status valid = check_texts();
  if (!kept.is_ok()) return kept;
  return status.is_ok() ? valid : status;
}

// The server starts over at a commit: relations are described again, and a transaction that was cut comes whole.
void Decoder::start_session(const Batch& batch) {
  relations_->clear();
  if (session_ == 0 || batch.beginning != beginning_) {
    beginning_ = batch.beginning;
    last_message_lsn_ = last_commit_end_ = Lsn{};
    position_ = batch.resume.position;
    open_commit_lsn_ = batch.resume.open_commit_lsn;
    open_changes_ = batch.resume.open_changes;
  } else if (in_transaction_ && done_below_ != kWholeTransaction) {
    open_commit_lsn_ = transaction_.commit_lsn;
    open_changes_ = std::max(next_index_, done_below_);
  }
  if (batch.run != run_) last_commit_end_ = Lsn{};
  run_ = batch.run;
  in_transaction_ = false;
  has_dead_letters_ = false;
  session_ = batch.session;
}

// Whether the frame was sound, or can be done without; else `status` says why it can't.
bool Decoder::decode_frame(std::string_view frame, Status& status) {
  if (frame.size() < kHeaderAndKind || frame.front() != 'w') [[unlikely]]
    return decode_control(frame, status);
  const char* header = frame.data();
  const Lsn data_start{load<std::uint64_t>(header + 1)};  // The same position comes again, 8 bytes on.
  const auto send_time = static_cast<std::int64_t>(load<std::uint64_t>(header + 17));
  const char kind = header[kHeader];
  const std::size_t changes = batch_->changes.size();
  const std::size_t cells = batch_->cells.size();
  has_invalid_text_ = false;
  Message message(frame, kHeaderAndKind, data_start, send_time);
  switch (kind) {
    case 'B': begin(message); break;
    case 'C': commit(message); break;
    case 'I': insert(message); break;
    case 'U': update(message); break;
    case 'D': remove(message); break;
    case 'R': relation(message); break;
    case 'Y': type(message); break;
    case 'T': truncate(message); break;
    case 'M': logical_message(message); break;
    case 'O': origin(message); break;
    default: message.fault(fmt::format("unknown message kind 0x{:02x}", static_cast<unsigned char>(kind)));
  }
  if (message.is_whole()) [[likely]]
    return true;
  batch_->changes.resize(changes);
  batch_->cells.resize(cells);
  return refuse(message, kind, status);
}

// What is no message: a keepalive, or nothing that we know.
bool Decoder::decode_control(std::string_view frame, Status& status) {
  ByteReader reader(frame);
  const std::uint8_t envelope = reader.u8();
  const Lsn wal_end{reader.u64()};
  if (envelope == 'k' && frame.size() == kKeepalive) {
    keepalive(wal_end);
    return true;
  }
  if (envelope == 'k') {
    status = malformed_frame(frame, "a keepalive has 18");
  } else if (envelope == 'w') {
    status = malformed_frame(frame, "ends inside the XLogData header");
  } else {
    status = malformed_frame(frame, fmt::format("unknown kind 0x{:02x}", envelope));
  }
  return false;
}

bool Decoder::refuse(Message& message, char kind, Status& status) {
  // Nothing is wrong with the message, and no other may follow it.
  if (!refused_.is_ok()) {
    status = refused_;
    return false;
  }
  const Status fault = message.finish(kind);
  if (can_do_without(kind, message)) {
    set_aside(kind, message, fault);
    return true;
  }
  status = fault;
  return false;
}

// Between transactions everything before the keepalive's position has been sent; inside one it says nothing new.
void Decoder::keepalive(Lsn wal_end) {
  if (!in_transaction_) reach(wal_end);
}

void Decoder::reach(Lsn position) {
  if (position <= position_) return;
  position_ = position;
  auto& points = batch_->progress_points;
  const auto changes = static_cast<std::uint32_t>(batch_->changes.size());
  if (!points.empty() && points.back().changes_end == changes) points.pop_back();
  points.push_back({position, changes});
}

void Decoder::begin(Message& message) {
  ByteReader& reader = message.reader();
  transaction_ = Transaction{};
  transaction_.commit_lsn = Lsn{reader.u64()};
  transaction_.commit_time = reader.i64();
  transaction_.xid = reader.u32();
  transaction_.previous_commit = last_commit_end_;
  if (transaction_.commit_lsn == batch_->snapshot_point) transaction_.index_base = kIndexAboveSnapshot;
  if (in_transaction_) message.fault("Begin inside a transaction");
  in_transaction_ = true;
  transaction_in_batch_ = false;
  next_index_ = 0;
  described_ = {};
  done_below_ = 0;
  has_dead_letters_ = false;
  if (options_.dead_letters != nullptr) {
    begin_frame_.assign(message.frame());
    origin_frame_.clear();
  }
  if (window_ != nullptr) window_->pass_transaction(transaction_.xid);
  if (options_.transactions) count_->start();
  if (transaction_.commit_lsn < position_) {
    done_below_ = kWholeTransaction;
  } else if (transaction_.commit_lsn == open_commit_lsn_) {
    done_below_ = open_changes_;
  }
}

void Decoder::commit(Message& message) {
  ByteReader& reader = message.reader();
  reader.u8();
  const Lsn commit_lsn{reader.u64()};
  const Lsn end_lsn{reader.u64()};
  reader.i64();
  if (!in_transaction_ || commit_lsn != transaction_.commit_lsn || end_lsn <= commit_lsn) {
    message.fault(fmt::format("Commit of {} does not close the open transaction", commit_lsn.to_string()));
  }
  if (!message.is_whole()) return;
  in_transaction_ = false;
  last_commit_end_ = end_lsn;
  if (has_dead_letters_) put_captured(message.frame(), FrameRole::kContext);
  if (done_below_ == kWholeTransaction) return;
  if (options_.transactions && count_->changes() > 0) {
    Change& change = put_change(Operation::kCommit, nullptr);
    change.lsn = commit_lsn;
    change.index = next_index_ - 1;
    change.cells_begin = static_cast<std::uint32_t>(batch_->transaction_summaries.size());
    batch_->transaction_summaries.push_back(count_->summary());
  }
  open_commit_lsn_ = Lsn{};
  reach(end_lsn);
}

// Comes directly after Begin, before any change.
void Decoder::origin(Message& message) {
  ByteReader& reader = message.reader();
  transaction_.origin_lsn = Lsn{reader.u64()};
  transaction_.origin = std::make_shared<const std::string>(with_replacements(reader.cstring()));
  if (options_.dead_letters != nullptr) origin_frame_.assign(message.frame());
}

void Decoder::relation(Message& message) {
  ByteReader& reader = message.reader();
  Relation relation;
  relation.oid = reader.u32();
  relation.schema = reader.cstring();
  if (relation.schema.empty()) relation.schema = "pg_catalog";
  relation.name = reader.cstring();
  relation.identity = static_cast<ReplicaIdentity>(reader.u8());
  const std::int16_t count = reader.i16();
  if (count < 0) message.fault(fmt::format("relation has {} columns", count));
  for (std::int16_t i = 0; i < count && !reader.failed(); ++i) {
    Column column;
    column.is_key = (reader.u8() & 1) != 0;
    column.name = reader.cstring();
    column.type_oid = reader.u32();
    column.type_modifier = reader.i32();
    relation.columns.push_back(std::move(column));
  }
  if (!message.is_whole()) return;
  const auto& notes = batch_->notes;
  const bool noted = notes_taken_ < notes.size() && notes[notes_taken_]->relation_oid == relation.oid;
  const RelationNote* note = noted ? notes[notes_taken_++].get() : nullptr;
  if (!options_.use_notes) note = nullptr;
  described_ = {described_.index == next_index_ ? described_.last : 0, relation.oid, next_index_};
  relations_->put(std::move(relation), note, message.frame());
  check_descriptions(message);
}

RelationRules Decoder::relation_rules() const { return {options_.selection.get(), options_.rules.get()}; }

void Decoder::type(Message& message) {
  ByteReader& reader = message.reader();
  const std::uint32_t oid = reader.u32();
  const std::string_view schema = reader.cstring();
  const std::string_view name = reader.cstring();
  if (!message.is_whole()) return;
  relations_->put_type(oid, schema, name, message.frame());
  check_descriptions(message);
}

// A server may describe without end what no table has.
void Decoder::check_descriptions(Message& message) const {
  if (relations_->type_bytes() > kTypeBytesMost) {
    message.fault_of_place(fmt::format("descriptions of types take more than {} MiB", kTypeBytesMost >> 20));
  } else if (relations_->relation_bytes() > kRelationBytesMost) {
    message.fault_of_place(fmt::format("descriptions of relations take more than {} MiB", kRelationBytesMost >> 20));
  }
}

const Relation* Decoder::known_relation(Message& message, bool is_row) {
  const std::uint32_t oid = message.reader().u32();
  if (message.reader().failed()) return nullptr;
  if (!in_transaction_) message.fault_of_place("change outside a transaction");
  const Relation* relation = relations_->pin(oid, *batch_);
  if (relation == nullptr && !message.faulty() && relations_->awaits_rules(oid)) [[unlikely]] {
    if (!apply_rules(message, oid, is_row)) return nullptr;
    relation = relations_->pin(oid, *batch_);
  }
  if (relation == nullptr) {
    message.fault(fmt::format("relation {} was never described", oid));
  } else {
    message.about(*relation);
  }
  return message.faulty() ? nullptr : relation;
}

// Before the first change of a relation since it was described. Of a row that comes as the root's, the root has been
// described and then the partition.
bool Decoder::apply_rules(Message& message, std::uint32_t oid, bool is_row) {
  RowsAhead rows{ChangePlace{transaction_.commit_lsn, next_index_}};
  if (is_row && described_.root == oid && described_.index == next_index_) rows.parts = {described_.last};
  const auto applied = relations_->apply(oid, relation_rules(), rows);
  if (!applied.is_ok()) {
    refused_ = applied.status().with_context(fmt::format("commit LSN {}", transaction_.commit_lsn.to_string()));
    message.fault("a rule is lost");
    return false;
  }
  const Relation* news = *applied;
  if (news != nullptr && options_.relation_described) options_.relation_described(*news, *batch_->database);
  return true;
}

bool Decoder::wants(Operation operation, const Relation* relation) const {
  if (relation != nullptr && !relation->is_wanted) return false;
  return (options_.skipped >> static_cast<unsigned>(operation) & 1) == 0;
}

// Counts the change; false if nobody wants it, or if it went down the street before the connection was lost.
bool Decoder::wants_change(Operation operation, const Relation* relation, std::uint64_t records) {
  const std::uint64_t index = next_index_++;
  if (!wants(operation, relation)) return false;
  if (options_.transactions && in_transaction_) {
    const bool is_first = count_->changes() == 0;
    total_order_ = count_->changes() + 1;
    table_order_ = count_->add(relation, records);
    if (is_first && index >= done_below_) put_change(Operation::kBegin, nullptr).index = kBeforeFirst;
  }
  return index >= done_below_;
}

Change& Decoder::put_change(Operation operation, const Relation* relation) {
  if (!transaction_in_batch_) {
    batch_->transactions.push_back(transaction_);
    transaction_in_batch_ = true;
  }
  Change& change = batch_->changes.emplace_back();
  change.relation = relation;
  change.lsn = transaction_.commit_lsn;
  change.transaction = static_cast<std::uint32_t>(batch_->transactions.size() - 1);
  change.operation = operation;
  return change;
}

Change& Decoder::add_change(Operation operation, const Relation* relation, Lsn lsn, std::size_t cells_begin) {
  Change& change = put_change(operation, relation);
  if (lsn) change.lsn = lsn;
  change.index = next_index_ - 1;
  change.total_order = total_order_;
  change.table_order = table_order_;
  change.cells_begin = static_cast<std::uint32_t>(cells_begin);
  change.has_invalid_text = has_invalid_text_;
  batch_has_invalid_text_ |= has_invalid_text_;
  return change;
}

void Decoder::insert(Message& message) {
  const Relation* relation = known_relation(message);
  if (relation == nullptr) return;
  const auto cells = batch_->cells.size();
  if (message.reader().u8() != 'N') message.fault("Insert without a new tuple");
  tuple(message, *relation);
  if (!message.is_whole()) return;
  if (window_ != nullptr) {
    window_->touch(*relation, *batch_, OldTuple::kNone, nullptr, batch_->cells.data() + cells);
  }
  check_text(message, Operation::kInsert, relation, cells);
  if (message.faulty()) return;
  if (!wants_change(Operation::kInsert, relation)) return batch_->cells.resize(cells);
  add_change(Operation::kInsert, relation, message.lsn(), cells);
}

void Decoder::update(Message& message) {
  const Relation* relation = known_relation(message);
  if (relation == nullptr) return;
  const auto cells = batch_->cells.size();
  std::uint8_t marker = message.reader().u8();
  const OldTuple old = old_tuple(message, *relation, marker);
  if (old != OldTuple::kNone) marker = message.reader().u8();
  if (marker != 'N') message.fault("Update without a new tuple");
  tuple(message, *relation);
  if (!message.is_whole()) return;
  if (window_ != nullptr) {
    const Cell* first = batch_->cells.data() + cells;
    const Cell* after = old == OldTuple::kNone ? first : first + relation->columns.size();
    window_->touch(*relation, *batch_, old, old == OldTuple::kNone ? nullptr : first, after);
  }
  if (old == OldTuple::kFull && is_unchanged(*relation, cells)) {
    ++next_index_;
    return batch_->cells.resize(cells);
  }
  check_text(message, Operation::kUpdate, relation, cells);
  if (message.faulty()) return;
  const bool is_split = options_.split_key_changes && changes_key(*relation, old, cells);
  if (!wants_change(Operation::kUpdate, relation, is_split ? 2 : 1)) return batch_->cells.resize(cells);
  Change& change = add_change(Operation::kUpdate, relation, message.lsn(), cells);
  change.old_tuple = old;
  change.is_split = is_split;
}

void Decoder::remove(Message& message) {
  const Relation* relation = known_relation(message);
  if (relation == nullptr) return;
  const auto cells = batch_->cells.size();
  const OldTuple old = old_tuple(message, *relation, message.reader().u8());
  if (old == OldTuple::kNone) message.fault("Delete without an old tuple");
  if (!message.is_whole()) return;
  if (window_ != nullptr) window_->touch(*relation, *batch_, old, batch_->cells.data() + cells, nullptr);
  check_text(message, Operation::kDelete, relation, cells);
  if (message.faulty()) return;
  if (!wants_change(Operation::kDelete, relation)) return batch_->cells.resize(cells);
  add_change(Operation::kDelete, relation, message.lsn(), cells).old_tuple = old;
}

OldTuple Decoder::old_tuple(Message& message, const Relation& relation, std::uint8_t marker) {
  if (marker != 'K' && marker != 'O') return OldTuple::kNone;
  tuple(message, relation);
  return marker == 'K' ? OldTuple::kKey : OldTuple::kFull;
}

// The hot loop: one cell a column, a view each.
void Decoder::tuple(Message& message, const Relation& relation) {
  ByteReader& reader = message.reader();
  const std::uint16_t count = reader.u16();
  if (count != relation.columns.size()) {
    return message.fault(fmt::format("tuple has {} columns, the relation {}", count, relation.columns.size()));
  }
  batch_->cells.resize(batch_->cells.size() + count);
  Cell* const last = batch_->cells.data() + batch_->cells.size();
  Cell* cell = last - count;
  const char* const base = batch_->frame_base();
  const char* const begin = reader.cursor();
  const char* at = begin;
  const char* const end = at + reader.remaining();
  for (; cell != last; ++cell) {
    if (at >= end) [[unlikely]]
      break;
    if (*at == 't') {
      // The size may be cut off: what is read then lies in the buffer's slack, and is refused.
      const auto size = load<std::uint32_t>(at + 1);
      at += kTextHeader;
      if (std::ptrdiff_t{size} > end - at) [[unlikely]]
        break;
      *cell = {static_cast<std::uint32_t>(at - base), static_cast<std::int32_t>(size)};
      at += size;
    } else if (*at == 'n' || *at == 'u') {
      *cell = {0, *at == 'n' ? Cell::kNull : Cell::kUnchanged};
      ++at;
    } else {
      break;
    }
  }
  if (cell != last || reader.failed()) [[unlikely]]
    return faulty_tuple(message, count);
  reader.skip_to(at);
  const auto bytes = static_cast<std::size_t>(at - begin);
  if (!is_ascii(begin, bytes)) [[unlikely]]
    has_invalid_text_ |= !is_sound({begin, bytes}, last - count, count, joined_sizes(last - count, count));
}

// Reads it again, field by field, up to what is wrong.
void Decoder::faulty_tuple(Message& message, std::size_t count) {
  ByteReader& reader = message.reader();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t kind = reader.u8();
    if (kind == 't') {
      const std::uint32_t size = reader.u32();
      reader.bytes(size);
    } else if (kind != 'n' && kind != 'u') {
      if (reader.failed()) break;
      return message.fault(fmt::format("column {} is neither text, null nor unchanged", i + 1));
    }
  }
  message.fault(kTupleCut);
}

void Decoder::truncate(Message& message) {
  ByteReader& reader = message.reader();
  const std::uint32_t count = reader.u32();
  reader.u8();  // CASCADE and RESTART IDENTITY: the tables that cascade are listed as well.
  std::vector<const Relation*> relations;
  for (std::uint32_t i = 0; i < count; ++i) {
    relations.push_back(known_relation(message, false));
    if (relations.back() == nullptr) return;
    // PostgreSQL names none twice, so there are no more of them than relations. What is made of each is larger than its
    // OID, and a frame may hold millions.
    if (relations.size() > relations_->size())
      return message.fault(
          fmt::format("Truncate of {} tables names one twice: {} relations are described", count, relations_->size()));
  }
  if (!message.is_whole()) return;
  for (const Relation* relation : relations) {
    if (window_ != nullptr) window_->touch_all(*relation);
    if (wants_change(Operation::kTruncate, relation))
      add_change(Operation::kTruncate, relation, message.lsn(), batch_->cells.size());
  }
}

void Decoder::logical_message(Message& message) {
  ByteReader& reader = message.reader();
  const bool transactional = (reader.u8() & 1) != 0;
  const Lsn lsn{reader.u64()};
  const std::string_view prefix = reader.cstring();
  const std::uint32_t size = reader.u32();
  const std::string_view content = reader.bytes(size);
  if (!message.is_whole()) return;
  if (transactional != in_transaction_)
    return message.fault_of_place("message on the wrong side of a transaction's border");
  if (prefix == kSnapshotPrefix || prefix == kHeartbeatPrefix) {
    // Our own: counted like any other in a transaction, progress outside of one, and nobody wants to see it.
    if (transactional) return static_cast<void>(++next_index_);
    return reach(lsn);
  }
  const bool is_done = transactional ? next_index_ < done_below_ : lsn <= std::max(last_message_lsn_, position_);
  check_prefix(message, prefix, !is_done && wants(Operation::kMessage, nullptr));
  if (message.faulty()) return;
  if (transactional ? !wants_change(Operation::kMessage, nullptr) : is_done) return;
  if (!transactional) {
    // Its LSN is where its record ends, and a commit record may begin right there: one byte less is in the order of
    // the log and can be no other's commit LSN.
    last_message_lsn_ = lsn;
    transaction_ = Transaction{};
    transaction_.commit_lsn = Lsn{lsn.value - 1};
    transaction_.commit_time = message.send_time();
    transaction_.previous_commit = last_commit_end_;
    transaction_in_batch_ = false;
    next_index_ = 1;
  }
  add_change(Operation::kMessage, nullptr, lsn, batch_->cells.size());
  for (const std::string_view text : {prefix, content}) {
    const auto offset = static_cast<std::uint32_t>(text.data() - batch_->frame_base());
    batch_->cells.push_back({offset, static_cast<std::int32_t>(text.size())});
  }
  if (!transactional) reach(lsn);
}

}  // namespace walcat
