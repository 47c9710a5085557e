#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serializer/builtin_types.h"
#include "walcat/model/relation.h"
#include "walcat/model/type.h"

namespace walcat::test {

/// A column's type, by a name such as `int4`, `numeric(10,2)`, `timestamp(3)[]`, `domain:int4[]`, `enum:mood`; any name
/// that PostgreSQL does not know is an extension's type (`hstore`, `geometry`).
class ColumnTypeName {
 public:
  explicit ColumnTypeName(std::string_view name) { read(name, 0); }

  void put_into(Column& column) const {
    column.type_oid = oid_;
    column.type_modifier = modifier_;
    column.type = type_;
    if (type_ == nullptr) return;
    column.type_schema = type_->schema;
    column.type_name = type_->name;
  }

 private:
  static constexpr int kDeepest = 3;
  static constexpr std::uint32_t kUserOid = 20'000;

  void read(std::string_view name, int depth) {
    if (depth < kDeepest && name.ends_with("[]")) return read_array(name.substr(0, name.size() - 2), depth);
    if (depth < kDeepest && name.starts_with("domain:")) return read_domain(name.substr(7), depth);
    const std::string_view bare = name.substr(0, name.find('('));
    modifier_ = modifier(name.substr(bare.size()), bare == "numeric");
    oid_ = builtin_type(bare);
    if (oid_ != 0) return;
    Type type = user_type(bare, depth);
    if (bare.starts_with("enum:")) {
      type.kind = TypeKind::kEnum;
      type.labels = {"sad", "\"ok\"", "happy"};
    }
    put(type);
  }

  void read_array(std::string_view element_name, int depth) {
    ColumnTypeName element("");
    element.read(element_name, depth + 1);
    modifier_ = element.modifier_;
    if (element.type_ == nullptr) {
      const std::string bare(element_name.substr(0, element_name.find('(')));
      oid_ = builtin_type("_" + bare);
      if (oid_ != 0) return;
    }
    Type type = user_type("_array", depth);
    type.element_oid = element.oid_;
    type.element = element.type_;
    put(type);
  }

  void read_domain(std::string_view base_name, int depth) {
    ColumnTypeName base("");
    base.read(base_name, depth + 1);
    Type type = user_type("domain", depth);
    type.kind = TypeKind::kDomain;
    type.base_oid = base.oid_;
    type.base_modifier = base.modifier_;
    type.base = base.type_;
    put(type);
  }

  static Type user_type(std::string_view name, int depth) {
    Type type;
    type.oid = kUserOid + static_cast<std::uint32_t>(depth);
    type.schema = "public";
    type.name = name;
    return type;
  }

  void put(const Type& type) {
    oid_ = type.oid;
    type_ = std::make_shared<const Type>(type);
  }

  // `(3)` as it stands; of numeric `(10,2)` as pg_attribute.atttypmod has it.
  static std::int32_t modifier(std::string_view parens, bool is_numeric) {
    if (parens.empty()) return -1;
    std::int32_t first = 0;
    std::int32_t second = 0;
    const char* const end = parens.data() + parens.size();
    const char* const rest = std::from_chars(parens.data() + 1, end, first).ptr;
    if (rest < end) std::from_chars(rest + 1, end, second);
    return is_numeric ? ((first & 0x7FFF) << 16 | (second & 0x7FF)) + 4 : first;
  }

  std::uint32_t oid_ = 0;
  std::int32_t modifier_ = -1;
  std::shared_ptr<const Type> type_;
};

}  // namespace walcat::test
