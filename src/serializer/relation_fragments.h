#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "line_writer.h"
#include "value_plan.h"
#include "walcat/model/batch.h"
#include "walcat/model/byte_buffer.h"
#include "walcat/model/relation.h"
#include "walcat/serializer/options.h"

namespace walcat {

/// How a cell is written.
enum class ValueForm : std::uint8_t {
  kString,
  kNumber,
  kBoolean,
  kPlanned,  ///< By the column's ValuePlan.
  kRuled,    ///< After the column's ColumnRule.
  kOmitted,  ///< Not at all.
};

/// How `values` writes the column, its rule aside.
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

  /// `relation` is null for logical messages and for the borders of transactions.
  RelationFragments(const Relation* relation, const std::string& database, const SerializerOptions& options);

  const std::vector<ColumnFragment>& columns() const { return columns_; }
  const char* name(const ColumnFragment& column) const { return bytes_.data() + column.offset; }
  const Column& column(const ColumnFragment& fragment) const { return relation_->columns[position(fragment)]; }
  const ValuePlan& plan(const ColumnFragment& fragment) const { return plans_[position(fragment)]; }
  /// Positions of the columns that make the record's key, as far as they are printed.
  const std::vector<std::size_t>& key() const { return key_; }

  // JSON strings for the source block.

  std::string_view connector() const { return slice(connector_); }
  std::string_view database() const { return slice(database_); }
  std::string_view schema() const { return slice(schema_); }
  std::string_view table() const { return slice(table_); }
  /// The connector's name and the schema's.
  std::string_view name_with_schema() const { return slice(name_with_schema_); }

  /// Labels of enums that the description did not know are allowed from now on, at the end of theirs.
  void learn(const std::vector<LineWriter::StrangeLabel>& labels, const SerializerOptions& options);
  /// The positions of columns whose schema promises a value.
  const std::vector<std::size_t>& required() const { return required_; }
  /// The column is null after all: older rows may be, where it was declared NOT NULL since.
  void learn_null(std::size_t position);

  /// The column's Kafka Connect schema; `may_be_missing`: optional even if the column is NOT NULL.
  std::string schema_of(const ColumnFragment& column, bool may_be_missing) const;
  /// What `render` returns, rendered at the first call: the schema of the relation's values, or of its keys.
  template <typename Render>
  std::string_view value_schema(Render&& render) const {
    return rendered(value_schema_, render);
  }
  template <typename Render>
  std::string_view key_schema(Render&& render) const {
    return rendered(key_schema_, render);
  }

  /// The same for the parts of an envelope's source block that are alike for all changes of the relation.
  template <typename Render>
  std::string_view source_begin(Render&& render) const {
    return rendered(source_begin_, render);
  }
  template <typename Render>
  std::string_view source_table(Render&& render) const {
    return rendered(source_table_, render);
  }

  const Relation* relation() const { return relation_; }
  const std::string& database_name() const { return database_name_; }

 private:
  template <typename Render>
  static std::string_view rendered(std::unique_ptr<ByteBuffer>& json, Render&& render) {
    if (json == nullptr) {
      const std::string text = render();
      json = std::make_unique<ByteBuffer>(text.size());
      json->append(text);
    }
    return json->view();
  }

  struct Slice {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  std::string_view slice(Slice s) const { return {bytes_.data() + s.offset, s.size}; }
  Slice add(std::string_view text);
  void add_column(const Column& column, const std::string& name, const SerializerOptions& options);
  std::size_t position(const ColumnFragment& fragment) const {
    return static_cast<std::size_t>(&fragment - columns_.data());
  }

  void forget_schemas();

  const Relation* relation_;
  /// The columns' types, with the labels that were learned.
  std::vector<std::shared_ptr<const Type>> types_;
  std::vector<std::size_t> required_;
  std::string database_name_;
  ByteBuffer bytes_;
  std::vector<ColumnFragment> columns_;
  std::vector<ValuePlan> plans_;
  std::vector<std::size_t> key_;
  Slice connector_;
  Slice database_;
  Slice schema_;
  Slice table_;
  Slice name_with_schema_;
  mutable std::unique_ptr<ByteBuffer> value_schema_;
  mutable std::unique_ptr<ByteBuffer> key_schema_;
  mutable std::unique_ptr<ByteBuffer> source_begin_;
  mutable std::unique_ptr<ByteBuffer> source_table_;
};

/// The fragments of the relations that a serializer meets.
///
/// Threads: stage-bound (serializer).
/// Ownership: keeps each relation alive, so that its address stays its identity. Bounded: starts over when full.
class FragmentCache {
 public:
  explicit FragmentCache(const SerializerOptions& options) : options_(options) {}

  /// Fragments for `relation` (null: for what belongs to none), one of those that `batch` keeps alive. Valid until the
  /// next call.
  const RelationFragments& get(const Relation* relation, const Batch& batch) { return find(relation, batch); }
  /// The same, to teach it.
  RelationFragments& find(const Relation* relation, const Batch& batch);

 private:
  static constexpr std::size_t kRelationsMost = 4096;
  struct Entry {
    std::shared_ptr<const Relation> relation;
    std::unique_ptr<RelationFragments> fragments;
  };

  SerializerOptions options_;
  std::unordered_map<const Relation*, Entry> of_relation_;
  std::unordered_map<std::uint32_t, std::unique_ptr<RelationFragments>> of_lane_;
};

}  // namespace walcat
