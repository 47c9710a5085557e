#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "walcat/base/lsn.h"

namespace walcat::test {

// The twin of the decoder: writes what a server sends, one small function per message, fields in wire order.
//
// A pgoutput message is wrapped by `at(lsn, message)` into the XLogData frame that carries it.
// Source: PostgreSQL manual, protocol-replication and protocol-logicalrep-message-formats.

/// Big-endian fields, one behind the other.
class Wire {
 public:
  Wire() = default;
  explicit Wire(char kind) { bytes_ += kind; }

  Wire& u8(unsigned value) { return integer(value, 1); }
  Wire& u16(unsigned value) { return integer(value, 2); }
  Wire& u32(std::uint32_t value) { return integer(value, 4); }
  Wire& u64(std::uint64_t value) { return integer(value, 8); }
  Wire& i32(std::int32_t value) { return u32(static_cast<std::uint32_t>(value)); }
  Wire& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  Wire& cstring(std::string_view text) { return bytes(text).u8(0); }
  Wire& bytes(std::string_view text) {
    bytes_ += text;
    return *this;
  }

  operator std::string() const { return bytes_; }  // NOLINT(google-explicit-constructor)

 private:
  Wire& integer(std::uint64_t value, int size) {
    for (int shift = 8 * (size - 1); shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift & 0xFF);
    return *this;
  }

  std::string bytes_;
};

inline constexpr std::uint32_t kBool = 16;
inline constexpr std::uint32_t kInt4 = 23;
inline constexpr std::uint32_t kText = 25;
inline constexpr std::uint32_t kFloat8 = 701;
inline constexpr std::uint32_t kNumeric = 1700;

// Envelopes.

inline std::string at(std::uint64_t lsn, const std::string& message, std::int64_t send_time = 0) {
  return Wire('w').u64(lsn).u64(lsn).i64(send_time).bytes(message);
}
inline std::string keepalive(std::uint64_t wal_end, bool reply_requested = false) {
  return Wire('k').u64(wal_end).i64(0).u8(reply_requested ? 1 : 0);
}

// Transactions.

inline std::string begin(std::uint64_t commit_lsn, std::uint32_t xid = 700, std::int64_t commit_time = 0) {
  return Wire('B').u64(commit_lsn).i64(commit_time).u32(xid);
}
inline std::string commit(std::uint64_t commit_lsn, std::uint64_t end_lsn) {
  return Wire('C').u8(0).u64(commit_lsn).u64(end_lsn).i64(0);
}
inline std::string origin(std::uint64_t commit_lsn, std::string_view name) {
  return Wire('O').u64(commit_lsn).cstring(name);
}

// Schema.

struct ColumnSpec {
  std::string name;
  std::uint32_t type_oid = kText;
  bool is_key = false;
  std::int32_t modifier = -1;
};

struct TableSpec {
  std::uint32_t oid = 16384;
  std::string schema = "public";
  std::string name = "t";
  char identity = 'd';
  std::vector<ColumnSpec> columns;
};

inline std::string relation(const TableSpec& table) {
  Wire message('R');
  message.u32(table.oid).cstring(table.schema).cstring(table.name).u8(static_cast<unsigned char>(table.identity));
  message.u16(static_cast<unsigned>(table.columns.size()));
  for (const ColumnSpec& column : table.columns) {
    message.u8(column.is_key ? 1 : 0).cstring(column.name).u32(column.type_oid).i32(column.modifier);
  }
  return message;
}
inline std::string type(std::uint32_t oid, std::string_view schema, std::string_view name) {
  return Wire('Y').u32(oid).cstring(schema).cstring(name);
}

// Data.

/// A column's value on the wire: text, or one of the marks below.
struct Value {
  Value(const char* value) : kind('t'), text(value) {}             // NOLINT(google-explicit-constructor)
  Value(std::string value) : kind('t'), text(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  explicit Value(char mark, std::string value = {}) : kind(mark), text(std::move(value)) {}

  char kind;
  std::string text;
};
inline const Value kNullValue{'n'};
inline const Value kUnchangedValue{'u'};

using Tuple = std::vector<Value>;

inline std::string tuple(const Tuple& values) {
  std::string bytes;
  bytes += static_cast<char>(values.size() >> 8);
  bytes += static_cast<char>(values.size() & 0xFF);
  for (const Value& value : values) {
    Wire column(value.kind);
    if (value.kind == 't' || value.kind == 'b') {
      column.u32(static_cast<std::uint32_t>(value.text.size())).bytes(value.text);
    }
    bytes += std::string(column);
  }
  return bytes;
}

inline std::string insert(std::uint32_t oid, const Tuple& row) { return Wire('I').u32(oid).u8('N').bytes(tuple(row)); }
inline std::string update(std::uint32_t oid, const Tuple& row) { return Wire('U').u32(oid).u8('N').bytes(tuple(row)); }
/// `marker`: 'K' for the key, 'O' for the whole old row.
inline std::string update(std::uint32_t oid, char marker, const Tuple& old, const Tuple& row) {
  return Wire('U').u32(oid).u8(static_cast<unsigned char>(marker)).bytes(tuple(old)).u8('N').bytes(tuple(row));
}
inline std::string remove(std::uint32_t oid, char marker, const Tuple& old) {
  return Wire('D').u32(oid).u8(static_cast<unsigned char>(marker)).bytes(tuple(old));
}
inline std::string truncate(const std::vector<std::uint32_t>& oids, unsigned flags = 0) {
  Wire message('T');
  message.u32(static_cast<std::uint32_t>(oids.size())).u8(flags);
  for (const std::uint32_t oid : oids) message.u32(oid);
  return message;
}
inline std::string logical_message(bool transactional, std::uint64_t lsn, std::string_view prefix,
                                   std::string_view content) {
  Wire message('M');
  message.u8(transactional ? 1 : 0).u64(lsn).cstring(prefix);
  return message.u32(static_cast<std::uint32_t>(content.size())).bytes(content);
}

}  // namespace walcat::test
