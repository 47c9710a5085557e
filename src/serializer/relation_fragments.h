#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "walcat/model/batch.h"
#include "walcat/model/byte_buffer.h"
#include "walcat/model/relation.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// How a cell is written.
enum class ValueForm : std::uint8_t { kString, kNumber, kBoolean };

/// How `values` writes the column.
ValueForm value_form(const Column& column, Values values);

/// The constant JSON around a relation's values, rendered once.
class RelationFragments {
 public:
  struct ColumnFragment {
    /// `,"name":`
    std::uint32_t offset;
    std::uint32_t size;
    ValueForm form;
    bool is_key;
  };

  RelationFragments(const Relation* relation, const std::string& database, const SerializerOptions& options);

  const std::vector<ColumnFragment>& columns() const { return columns_; }
  const char* name(const ColumnFragment& column) const { return bytes_.data() + column.offset; }
  /// `,"source":{"version":..,"ts_ms":`
  std::string_view source_head() const { return slice(source_head_); }
  /// `,"snapshot":"false",..,"txId":`
  std::string_view source_middle() const { return slice(source_middle_); }

 private:
  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  std::string_view slice(Slice s) const { return {bytes_.data() + s.offset, s.size}; }
  Slice add(std::string_view text);

  ByteBuffer bytes_;
  std::vector<ColumnFragment> columns_;
  Slice source_head_;
  Slice source_middle_;
};

/// The fragments of the relations that a serializer meets.
///
/// Threads: stage-bound (serializer).
/// Ownership: keeps each relation alive, so that its address stays its identity. Bounded: starts over when full.
class FragmentCache {
 public:
  explicit FragmentCache(const SerializerOptions& options) : options_(options) {}

  /// Fragments for `relation` (null: for logical messages), one of those that `batch` keeps alive.
  const RelationFragments& get(const Relation* relation, const Batch& batch);

 private:
  static constexpr std::size_t kRelationsMost = 4096;
  struct Entry {
    std::shared_ptr<const Relation> relation;
    std::unique_ptr<RelationFragments> fragments;
  };

  SerializerOptions options_;
  std::unordered_map<const Relation*, Entry> of_relation_;
  std::unordered_map<std::uint32_t, std::unique_ptr<RelationFragments>> of_messages_;
};

}  // namespace walcat
