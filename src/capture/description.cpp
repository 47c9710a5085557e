#include "description.h"

#include <cstdint>
#include <string_view>
#include <utility>

#include "record_bytes.h"
#include "walcat/capture/format.h"

namespace walcat {

namespace {

constexpr std::uint8_t kIsUtf8 = 1;
constexpr std::uint8_t kHasNote = 1;
constexpr std::uint8_t kIsWanted = 1;
constexpr std::uint8_t kIsDescribed = 1;
constexpr std::uint8_t kNoteNotNull = 1;
constexpr std::uint8_t kIsKey = 1;
constexpr std::uint8_t kNotNull = 2;
constexpr std::uint8_t kHasType = 4;
constexpr std::uint8_t kHasBase = 1;
constexpr std::uint8_t kHasElement = 2;

std::uint8_t flag(bool is_set, std::uint8_t bit) { return is_set ? bit : 0; }

std::string read_text(ByteReader& reader) { return std::string(reader.bytes(reader.u32())); }

// Calls `read` for each element of a list of `most` at the most, until it says that there is no sense in it. Every
// element takes a byte at least, so a count beyond the bytes ends with them.
template <typename Read>
bool read_list(ByteReader& reader, std::uint32_t most, Read read) {
  std::uint32_t left = reader.u32();
  if (left > most) return false;
  for (; left > 0; --left) {
    if (reader.failed() || !read()) return false;
  }
  return !reader.failed();
}

void put_texts(std::string& bytes, const std::vector<std::string>& texts) {
  put_u32(bytes, texts.size());
  for (const std::string& text : texts) put_text(bytes, text);
}

// They differ, so that one of them is empty at the most: in memory, a text takes more than its bytes.
bool read_texts(ByteReader& reader, std::vector<std::string>& texts) {
  int empty = 0;
  return read_list(reader, UINT32_MAX, [&] {
    empty += texts.emplace_back(read_text(reader)).empty() ? 1 : 0;
    return empty <= 1;
  });
}

void put_type(std::string& bytes, const Type& type, int depth = 1) {
  const bool may_nest = depth < kCaptureTypeDepth;
  const bool has_base = may_nest && type.base != nullptr;
  const bool has_element = may_nest && type.element != nullptr;
  put_u32(bytes, type.oid);
  put_text(bytes, type.schema);
  put_text(bytes, type.name);
  bytes += static_cast<char>(type.kind);
  put_u8(bytes, flag(has_base, kHasBase) | flag(has_element, kHasElement));
  put_u32(bytes, type.base_oid);
  put_u32(bytes, static_cast<std::uint32_t>(type.base_modifier));
  put_u32(bytes, type.element_oid);
  bytes += type.delimiter;
  put_texts(bytes, type.labels);
  if (has_base) put_type(bytes, *type.base, depth + 1);
  if (has_element) put_type(bytes, *type.element, depth + 1);
}

std::shared_ptr<const Type> read_type(ByteReader& reader, int depth = 1) {
  if (depth > kCaptureTypeDepth) return nullptr;
  auto type = std::make_shared<Type>();
  type->oid = reader.u32();
  type->schema = read_text(reader);
  type->name = read_text(reader);
  const char kind = static_cast<char>(reader.u8());
  const std::uint8_t flags = reader.u8();
  type->base_oid = reader.u32();
  type->base_modifier = reader.i32();
  type->element_oid = reader.u32();
  type->delimiter = static_cast<char>(reader.u8());
  if (!read_texts(reader, type->labels) || std::string_view("bcdempr").find(kind) == std::string_view::npos) {
    return nullptr;
  }
  type->kind = static_cast<TypeKind>(kind);
  if ((flags & kHasBase) != 0 && (type->base = read_type(reader, depth + 1)) == nullptr) return nullptr;
  if ((flags & kHasElement) != 0 && (type->element = read_type(reader, depth + 1)) == nullptr) return nullptr;
  return type;
}

void put_column(std::string& bytes, const Column& column) {
  put_text(bytes, column.name);
  put_u32(bytes, column.type_oid);
  put_u32(bytes, static_cast<std::uint32_t>(column.type_modifier));
  put_u8(bytes, flag(column.is_key, kIsKey) | flag(column.not_null, kNotNull) | flag(column.type != nullptr, kHasType));
  put_text(bytes, column.type_schema);
  put_text(bytes, column.type_name);
  if (column.type != nullptr) put_type(bytes, *column.type);
}

bool read_column(ByteReader& reader, Column& column) {
  column.name = read_text(reader);
  column.type_oid = reader.u32();
  column.type_modifier = reader.i32();
  const std::uint8_t flags = reader.u8();
  column.is_key = (flags & kIsKey) != 0;
  column.not_null = (flags & kNotNull) != 0;
  column.type_schema = read_text(reader);
  column.type_name = read_text(reader);
  if ((flags & kHasType) != 0 && (column.type = read_type(reader)) == nullptr) return false;
  return !reader.failed();
}

void put_relation(std::string& bytes, const Relation& relation) {
  put_u32(bytes, relation.oid);
  put_text(bytes, relation.schema);
  put_text(bytes, relation.name);
  bytes += static_cast<char>(relation.identity);
  put_u8(bytes, flag(relation.is_wanted, kIsWanted));
  put_u32(bytes, relation.columns.size());
  for (const Column& column : relation.columns) put_column(bytes, column);
  put_u32(bytes, relation.key.size());
  for (const std::size_t position : relation.key) put_u32(bytes, position);
}

bool read_relation(ByteReader& reader, Relation& relation) {
  relation.oid = reader.u32();
  relation.schema = read_text(reader);
  relation.name = read_text(reader);
  const char identity = static_cast<char>(reader.u8());
  relation.is_wanted = (reader.u8() & kIsWanted) != 0;
  if (std::string_view("dnfi").find(identity) == std::string_view::npos) return false;
  relation.identity = static_cast<ReplicaIdentity>(identity);
  const auto read_next = [&] { return read_column(reader, relation.columns.emplace_back()); };
  return read_list(reader, kCaptureColumnsMost, read_next) && read_list(reader, kCaptureColumnsMost, [&] {
           relation.key.push_back(reader.u32());
           return relation.key.back() < relation.columns.size();
         });
}

}  // namespace

void put_stream(std::string& bytes, const StreamIdentity& stream) {
  put_u8(bytes, flag(stream.is_utf8, kIsUtf8));
  put_u32(bytes, stream.server_version);
  put_u32(bytes, stream.timeline);
  for (const auto* text :
       {&stream.label, &stream.system_identifier, &stream.database, &stream.slot, &stream.publication}) {
    put_text(bytes, *text);
  }
}

std::shared_ptr<const StreamIdentity> read_stream(ByteReader& reader) {
  auto stream = std::make_shared<StreamIdentity>();
  stream->is_utf8 = (reader.u8() & kIsUtf8) != 0;
  stream->server_version = reader.u32();
  stream->timeline = reader.u32();
  for (auto* text :
       {&stream->label, &stream->system_identifier, &stream->database, &stream->slot, &stream->publication}) {
    *text = read_text(reader);
  }
  return reader.failed() ? nullptr : stream;
}

void put_note(std::string& bytes, const RelationNote& note) {
  put_u32(bytes, note.relation_oid);
  put_u32(bytes, note.columns.size());
  for (const auto& column : note.columns) {
    put_text(bytes, column.name);
    put_u8(bytes, flag(column.not_null, kNoteNotNull));
  }
  put_u32(bytes, note.types.size());
  for (const auto& [oid, type] : note.types) {
    put_u32(bytes, oid);
    put_u8(bytes, flag(type != nullptr, kIsDescribed));
    if (type != nullptr) put_type(bytes, *type);
  }
  put_texts(bytes, note.key);
}

std::shared_ptr<const RelationNote> read_note(ByteReader& reader) {
  auto note = std::make_shared<RelationNote>();
  note->relation_oid = reader.u32();
  const bool has_columns = read_list(reader, kCaptureColumnsMost, [&] {
    auto& column = note->columns.emplace_back();
    column.name = read_text(reader);
    column.not_null = (reader.u8() & kNoteNotNull) != 0;
    return true;
  });
  const bool has_types = has_columns && read_list(reader, kCaptureTypesMost, [&] {
                           auto& type = note->types[reader.u32()];
                           if ((reader.u8() & kIsDescribed) == 0) return true;
                           type = read_type(reader);
                           return type != nullptr;
                         });
  if (!has_types || !read_texts(reader, note->key)) return nullptr;
  return note;
}

void put_snapshot_source(std::string& bytes, const SnapshotSource& source) {
  put_u64(bytes, source.point.value);
  put_i64(bytes, source.began);
  put_u64(bytes, source.first_index);
  put_u8(bytes, flag(source.note != nullptr, kHasNote));
  put_relation(bytes, source.relation);
  if (source.note != nullptr) put_note(bytes, *source.note);
}

std::shared_ptr<const SnapshotSource> read_snapshot_source(ByteReader& reader) {
  auto source = std::make_shared<SnapshotSource>();
  source->point = Lsn{reader.u64()};
  source->began = reader.i64();
  source->first_index = reader.u64();
  const std::uint8_t flags = reader.u8();
  if (!read_relation(reader, source->relation)) return nullptr;
  if ((flags & kHasNote) != 0 && (source->note = read_note(reader)) == nullptr) return nullptr;
  return source;
}

}  // namespace walcat
